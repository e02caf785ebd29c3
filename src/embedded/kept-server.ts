// A server that is kept running: its owner restarts it after a crash, and another process takes over when the owner ends.
import { statfsSync } from "node:fs";
import { ServerNotRunning } from "../domain/errors.ts";
import { shownAddress } from "../nats/address.ts";
import type { Home } from "./home.ts";
import { type EmbeddedOptions, type EmbeddedServer, type Incarnation, openIncarnation, pause } from "./incarnation.ts";

/** A server that this process uses through all its lives: when one ends, the next is started or attached to, until `stop`. */
export class KeptServer implements EmbeddedServer {
  readonly #home: Home;
  readonly #options: EmbeddedOptions;
  readonly #stopping = new AbortController();
  readonly #supervised: Promise<void>;
  /** Written only by `#supervise`. */
  #current: Incarnation;
  #revivedAt = Number.NEGATIVE_INFINITY;

  static async open(home: Home, options: EmbeddedOptions, signal: AbortSignal): Promise<KeptServer> {
    const first = await openIncarnation(home, options, signal);
    options.log?.debug(first.isOwner ? "started the embedded nats-server" : "attached to the embedded nats-server", {
      url: shownAddress(first.url),
    });
    return new KeptServer(home, options, first);
  }

  constructor(home: Home, options: EmbeddedOptions, first: Incarnation) {
    this.#home = home;
    this.#options = options;
    this.#current = first;
    this.#supervised = this.#supervise();
  }

  get url(): string {
    return this.#current.url;
  }

  get isOwner(): boolean {
    return this.#current.isOwner;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopped"));
    await this.#supervised;
    await this.#current.stop();
  }

  /**
   * Restarts a server that stores nothing since one of its writes failed: it does not notice by itself when its disk has room again.
   * Returns whether the server was restarted. Only its owner can do so, and only if there is room.
   */
  async revive(): Promise<boolean> {
    if (!this.#current.isOwner || this.#stopping.signal.aborted || performance.now() - this.#revivedAt < reviveEveryMs)
      return false;
    if (!hasRoom(this.#home.directory)) return false;
    this.#revivedAt = performance.now();
    this.#options.log?.warn("the embedded nats-server could not write; there is room again, so it is restarted", {
      directory: this.#home.directory,
    });
    await this.#current.stop();
    return true;
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    for (let quickEnds = 0; ; ) {
      const startedAt = performance.now();
      await Promise.race([this.#current.gone, stopped]);
      if (signal.aborted) return;
      const wasOwner = this.#current.isOwner;
      // The server of an owner may hang rather than be dead, and no other can be started before it has ended.
      await this.#current.stop();
      const isRevived = performance.now() - this.#revivedAt < reviveEveryMs;
      if (wasOwner && !isRevived)
        this.#options.log?.warn("the embedded nats-server ended unexpectedly; restarting it", {
          log: this.#home.log,
        });
      // A server that keeps crashing is restarted after ever longer pauses; after a single crash, there is none.
      quickEnds = wasOwner && performance.now() - startedAt < quickEndMs ? quickEnds + 1 : 0;
      if (quickEnds > 1) await pause(Math.min(100 * 2 ** quickEnds, longestPauseMs), signal).catch(() => {});
      const next = await this.#reopen(signal);
      if (next === undefined) return;
      this.#announce(this.#current.url, next);
      this.#current = next;
    }
  }

  /** Tries until it works or this process stops. */
  async #reopen(signal: AbortSignal): Promise<Incarnation | undefined> {
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await openIncarnation(this.#home, this.#options, signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof ServerNotRunning))
          this.#options.log?.warn("the embedded nats-server could not be restarted yet; retrying", { error });
        await pause(pauseMs, signal).catch(() => {});
      }
    }
    return undefined;
  }

  #announce(before: string, next: Incarnation): void {
    this.#options.log?.info(
      next.isOwner ? "took over the embedded nats-server" : "attached again to the embedded nats-server",
      { url: shownAddress(next.url) },
    );
    if (next.url !== before)
      this.#options.log?.warn(
        "the embedded nats-server has moved; restart what is still connected to its old address",
        { before: shownAddress(before), now: shownAddress(next.url) },
      );
  }
}

const quickEndMs = 5_000;
const longestPauseMs = 5_000;
const reviveEveryMs = 10_000;
/** A restart needs that much free space: less would be used up at once. */
const enoughBytes = 32 * 1_024 * 1_024;

function hasRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= enoughBytes;
  } catch {
    return true; // this system does not say: a restart in vain does no harm
  }
}
