// The server of a directory, shared by every natchet process that names it: the first one starts it, the others attach, and when it is gone
// whoever is left starts it again on the same store and port.
import { Effect, type Scope } from "effect";
import { EmbeddedServerFailed, type ServerBinaryNotFound } from "../../domain/errors.ts";
import { findServerBinary, type ServerBinary } from "./binary.ts";
import { Home } from "./home.ts";
import { launchServer } from "./launch.ts";
import { type ServerWatch, watchServer } from "./server-watch.ts";

/** What the embedded server says about itself. */
export interface EmbeddedLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface EmbeddedOptions {
  /** Holds store, lock and log. @default ".natchet" */
  readonly directory?: string | undefined;
  readonly log?: EmbeddedLog | undefined;
  /** Finds the program; asked only when this process has to start the server. @default findServerBinary */
  readonly binary?: ((signal: AbortSignal) => Promise<ServerBinary>) | undefined;
}

/** A server in use by this process. */
export interface EmbeddedServer {
  readonly url: string;
  /** Whether this process started it, so that it ends with this process. */
  readonly isOwner: boolean;
  /** Lets go of it: an owner stops the server, any other only detaches. */
  stop(): Promise<void>;
}

type EmbeddedError = ServerBinaryNotFound | EmbeddedServerFailed;

/**
 * Starts the server of the directory, or attaches to the one that another process has started; once, without looking after it.
 *
 * The scope stops it if this process owns it. Two processes never run two servers on one store.
 */
export const startOrAttach = (
  options: EmbeddedOptions = {},
): Effect.Effect<EmbeddedServer, EmbeddedError, Scope.Scope> =>
  scoped((signal) => openIncarnation(new Home(options.directory ?? ".natchet"), options, signal));

/**
 * As {@link startOrAttach}, and looks after it: when the server crashes or its owner ends, the processes that are left race to start it again
 * on the same store and, as long as nobody else took it, the same port, so that connected clients simply reconnect.
 */
export const keepEmbedded = (
  options: EmbeddedOptions = {},
): Effect.Effect<EmbeddedServer, EmbeddedError, Scope.Scope> =>
  scoped((signal) => KeptServer.open(new Home(options.directory ?? ".natchet"), options, signal));

function scoped<A extends EmbeddedServer>(
  open: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, EmbeddedError, Scope.Scope> {
  const acquire = Effect.tryPromise({ try: (signal) => open(signal), catch: asEmbeddedError });
  return Effect.acquireRelease(acquire, (server) => Effect.promise(() => server.stop()), { interruptible: true });
}

/** One life of the server as this process sees it. */
interface Incarnation extends EmbeddedServer {
  /** Resolves when the server cannot be reached any more. */
  readonly gone: Promise<void>;
}

const patienceMs = 60_000;
const retryMs = 50;

async function openIncarnation(home: Home, options: EmbeddedOptions, signal: AbortSignal): Promise<Incarnation> {
  if (process.platform === "win32")
    throw new EmbeddedServerFailed({ reason: "it needs a POSIX system; set NATS_URL to a running server" });
  let binary: ServerBinary | undefined;
  for (const deadline = Date.now() + patienceMs; ; ) {
    const attached = await attach(home);
    if (attached !== undefined) return attached;
    signal.throwIfAborted();
    binary ??= await (options.binary ?? ((aborted) => findServerBinary({}, aborted)))(signal);
    prepare(home);
    const launch = await launchServer(home, binary, signal);
    if (launch.kind === "failed") throw new EmbeddedServerFailed({ reason: launch.reason });
    if (launch.kind === "running") {
      if (!signal.aborted) return owned(launch.server);
      await launch.server.stop();
    }
    if (Date.now() > deadline) {
      throw new EmbeddedServerFailed({
        reason: `another process holds ${home.lock} and its server has not answered for ${patienceMs / 1000} s`,
      });
    }
    await pause(retryMs, signal);
  }
}

function prepare(home: Home): void {
  try {
    home.prepare();
  } catch (error) {
    throw new EmbeddedServerFailed({
      reason: `${home.directory} cannot be written: ${error instanceof Error ? error.message : error}`,
    });
  }
}

// The id tells the server of this directory from a stranger that got its port after a crash.
async function attach(home: Home): Promise<Incarnation | undefined> {
  const address = home.readAddress();
  if (address === undefined) return undefined;
  const watch = await watchServer(address.url, 1_000);
  if (watch?.info.id === address.id) return attached(address.url, watch);
  watch?.close();
  return undefined;
}

function attached(url: string, watch: ServerWatch): Incarnation {
  return { url, isOwner: false, gone: watch.closed, stop: async () => watch.close() };
}

function owned(server: Extract<Awaited<ReturnType<typeof launchServer>>, { kind: "running" }>["server"]): Incarnation {
  return {
    url: server.address.url,
    isOwner: true,
    gone: Promise.race([server.exited, server.watch.closed]),
    stop: server.stop,
  };
}

class KeptServer implements EmbeddedServer {
  readonly #home: Home;
  readonly #options: EmbeddedOptions;
  readonly #stopping = new AbortController();
  readonly #supervised: Promise<void>;
  /** Written by the supervision only. */
  #current: Incarnation;

  static async open(home: Home, options: EmbeddedOptions, signal: AbortSignal): Promise<KeptServer> {
    const first = await openIncarnation(home, options, signal);
    options.log?.info(first.isOwner ? "started the embedded nats-server" : "attached to the embedded nats-server", {
      url: first.url,
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

  async #supervise(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    for (;;) {
      const startedAt = Date.now();
      await Promise.race([this.#current.gone, stopped]);
      if (signal.aborted) return;
      const wasOwner = this.#current.isOwner;
      // An owner's server may be hung rather than dead; nobody can start another before its end.
      await this.#current.stop();
      if (wasOwner)
        this.#options.log?.warn("the embedded nats-server ended unexpectedly and is started again", {
          log: this.#home.log,
        });
      if (Date.now() - startedAt < 1_000) await pause(500, signal).catch(() => {});
      const next = await this.#reopen(signal);
      if (next === undefined) return;
      this.#announce(this.#current.url, next);
      this.#current = next;
    }
  }

  /** Tries until it works or this process stops. */
  async #reopen(signal: AbortSignal): Promise<Incarnation | undefined> {
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      try {
        return await openIncarnation(this.#home, this.#options, signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#options.log?.warn("the embedded nats-server could not be started again yet", { error });
        await pause(pauseMs, signal).catch(() => {});
      }
    }
    return undefined;
  }

  #announce(before: string, next: Incarnation): void {
    this.#options.log?.info(
      next.isOwner ? "took over the embedded nats-server" : "attached again to the embedded nats-server",
      { url: next.url },
    );
    if (next.url !== before)
      this.#options.log?.warn(
        "the embedded nats-server has moved; restart what is still connected to its old address",
        { before, now: next.url },
      );
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function asEmbeddedError(error: unknown): EmbeddedError {
  if (error instanceof Error && "_tag" in error) return error as EmbeddedError;
  return new EmbeddedServerFailed({ reason: error instanceof Error ? error.message : String(error) });
}
