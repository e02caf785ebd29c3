// The watch on one stream. Trouble that passes by itself (an election, a restarting server) is waited out by whoever writes or reads. Trouble that
// does not is found out here, so that nobody waits for it in silence.
import { StoreUnavailable } from "../domain/errors.ts";
import { zonedTime } from "../domain/time.ts";
import type { ApiError } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { ApiRefusal, askOnce, streamNotFound } from "./stream-api.ts";

/**
 * - `gone`: it was deleted, with everything in it.
 * - `broken`: it answers, and stores nothing since a write has failed. After a full disk, a server stays that way until it is restarted.
 * - `full`: the server or the account has no room for more.
 * - `silent`: the server is there, but nobody answers for the stream for longer than an election takes.
 */
export type StreamFault = "gone" | "broken" | "full" | "silent";

export interface StreamTrouble {
  readonly stream: string;
  readonly fault: StreamFault;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly reason: string;
}

type Finding = Pick<StreamTrouble, "fault" | "reason">;

/** How many answers in a row must say that the stream is gone: a cluster that has just started may not know its streams for a moment. */
const goneAfterAnswers = 3;
/** An election takes up to 8 s. */
const silentAfterMs = 15_000;
const againMs = 1_000;
const unsureMs = 400;
const answerWithinMs = 2_000;
/** How long a stream counts as full after a refusal: whoever was refused tries again within this time, while it has something to store. */
const fullForMs = 5_000;

export class StreamWatch {
  readonly stream: string;
  readonly #link: NatsLink;
  /** A subject that no message ever has. */
  readonly #unused: string;
  readonly #listeners = new Set<() => void>();
  readonly #stopListening: (() => void)[];
  #trouble: StreamTrouble | undefined;
  #looking: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSuspected = false;
  #missed = 0;
  #silentSince: number | undefined;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(link: NatsLink, stream: string, unused: string) {
    this.#link = link;
    this.stream = stream;
    this.#unused = unused;
    this.#stopListening = [
      link.onReconnect(() => void this.look()),
      link.onDisconnect(() => {
        this.#silentSince = undefined;
      }),
    ];
    void link.closed.then(() => this.close());
  }

  get trouble(): StreamTrouble | undefined {
    return this.#trouble;
  }

  /** Why nothing can be appended for now; undefined if waiting may help. */
  get refusal(): StoreUnavailable | undefined {
    const { trouble } = this;
    if (trouble === undefined || trouble.fault === "full") return undefined;
    return new StoreUnavailable({ operation: `append to stream ${this.stream}`, reason: whatToDo(trouble) });
  }

  /** Calls back when the trouble changes; returns a function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Checks whether the stream stores anything, for somebody whose write was not answered. */
  suspect(): Promise<void> {
    this.#isSuspected = true;
    return this.look();
  }

  /** Checks that the stream exists and answers; again and again while something is wrong. */
  look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Checks until the result is clear. */
  async findOut(): Promise<StreamTrouble | undefined> {
    await this.look();
    while (this.#missed > 0 && this.#trouble === undefined && !this.#isClosed) {
      await pause(unsureMs);
      await this.look();
    }
    return this.#trouble;
  }

  /** A write was refused for lack of space. */
  refusedAsFull(reason: string): void {
    this.#refusedAt = performance.now();
    if (this.#trouble === undefined) this.#set({ fault: "full", reason });
    this.#lookAgain();
  }

  /** A write was stored. */
  accepted(): void {
    this.#refusedAt = Number.NEGATIVE_INFINITY;
    this.#set(undefined);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stopListening) stop();
    this.#listeners.clear();
  }

  async #lookOnce(): Promise<void> {
    if (this.#isClosed || !this.#link.isConnected()) return; // looks again after the reconnect
    const found = await this.#find();
    if (this.#isClosed || found === "unsure") return this.#lookAgain(unsureMs);
    this.#set(found ?? this.#fullness());
    if (this.#trouble !== undefined) this.#lookAgain();
  }

  #lookAgain(ms = againMs): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.look(), ms);
  }

  /** That a stream is full is known from refusals alone. */
  #fullness(): Finding | undefined {
    const isRecent = performance.now() - this.#refusedAt < fullForMs;
    return isRecent && this.#trouble?.fault === "full" ? this.#trouble : undefined;
  }

  async #find(): Promise<Finding | "unsure" | undefined> {
    const info = await this.#ask(`STREAM.INFO.${this.stream}`);
    if (info === "no answer" || (info !== undefined && info.code >= 500)) {
      this.#silentSince ??= performance.now();
      const reason = info === "no answer" ? "no server answers for it" : info.description;
      return performance.now() - this.#silentSince < silentAfterMs ? "unsure" : { fault: "silent", reason };
    }
    this.#silentSince = undefined;
    this.#missed = info?.err_code === streamNotFound ? this.#missed + 1 : 0;
    if (this.#missed > 0)
      return this.#missed < goneAfterAnswers ? "unsure" : { fault: "gone", reason: "it was deleted" };
    if (!this.#isSuspected && this.#trouble?.fault !== "broken") return undefined;
    this.#isSuspected = false;
    // This purge removes nothing, and fails where a write would fail. A replicated stream logs it, so it is not part of every check.
    const purge = await this.#ask(`STREAM.PURGE.${this.stream}`, { filter: this.#unused });
    if (purge === "no answer" || purge === undefined || purge.code < 500) return undefined;
    return purge.code === 503 ? "unsure" : { fault: "broken", reason: purge.description };
  }

  /** The error that the API answers with, if it does. A user without the permission to ask gets no answer. */
  async #ask(verb: string, asked?: object): Promise<ApiError | "no answer" | undefined> {
    try {
      await askOnce(this.#link.nc, verb, asked, answerWithinMs);
      return undefined;
    } catch (error) {
      return error instanceof ApiRefusal ? error.error : "no answer";
    }
  }

  #set(found: Finding | undefined): void {
    if (found?.fault === this.#trouble?.fault) return;
    this.#trouble = found && { stream: this.stream, since: Date.now(), fault: found.fault, reason: found.reason };
    for (const listener of [...this.#listeners]) listener();
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is wrong and what to do about it, for the server's operator. */
export function whatToDo({ stream, fault, reason, since }: StreamTrouble): string {
  const start = `since ${zonedTime(since)} `;
  if (fault === "gone")
    return `${start}stream ${stream} is gone: it was deleted; restore it from a backup, or recreate it empty with recreate: true (NATCHET_RECREATE=1)`;
  if (fault === "broken")
    return `${start}stream ${stream} accepts no writes: ${reason}; make room on the server's disk, then restart nats-server`;
  if (fault === "full")
    return `${start}the server is out of storage for stream ${stream}: ${reason}; raise its JetStream limits, or delete what is not needed`;
  return `${start}stream ${stream} does not answer: ${reason}; see the log of nats-server, and restart it if JetStream is disabled there`;
}
