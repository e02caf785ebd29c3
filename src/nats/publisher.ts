// The publisher appends to a stream, many messages at a time: it has one reply inbox, a window of unacknowledged messages, and retries. An append
// ends when the server has acknowledged or refused it; outages in between are dealt with here, and nobody else sees them. The client's own
// `js.publish` does the same one by one, at several times the cost.

import { createInbox, type Msg } from "@nats-io/transport-node";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { Deque } from "../collections/deque.ts";
import { PayloadTooLarge, type PermissionDenied, StoreUnavailable } from "../domain/errors.ts";
import { Subjects } from "../wire/subjects.ts";
import { expectHeaders, largestHeader } from "./expect-headers.ts";
import type { Denial, NatsLink } from "./link.ts";
import { listen } from "./listen.ts";
import type { AppendOptions, AppendResult, PendingAppend } from "./pending-append.ts";
import { ackedSeq, type Refusal, refusalOf } from "./pub-ack.ts";
import { newestFromLeader } from "./stored-message.ts";
import type { StreamWatch } from "./stream-watch.ts";

export type { AppendResult, Witness } from "./pending-append.ts";

export interface Publisher {
  /**
   * Appends one message; `expect` is the sequence that its subject must have (0: none yet).
   *
   * Retried until the server has answered. With `expect` it is stored once, however often it was sent. Appends are sent in the order of
   * the calls, but an outage may change the order in which they are stored.
   *
   * Fails: {@link PayloadTooLarge}, {@link QueueFull}, {@link PermissionDenied}; {@link StoreUnavailable} when the server refuses it for
   * good, when the publisher is closed before the answer, or when the append may not be sent
   */
  append(subject: string, payload: Uint8Array, expect?: number, options?: AppendOptions): Promise<AppendResult>;
  /** How many appends are not acknowledged yet. */
  readonly pending: number;
  /** How many appends were answered so far: if it does not grow, nothing is happening. */
  readonly answered: number;
  /** Resolves when nothing is pending. */
  drained(): Promise<void>;
  /** Fails all pending appends. Closing the scope does so too. */
  close(): void;
}

export interface PublisherOptions {
  /** How many appends may be unacknowledged at a time; the others wait. @default 4096 */
  readonly window?: number;
  /** The stream that holds the subjects. @default the namespace's log */
  readonly stream?: string;
  /** Knows what is wrong with the stream. While it has trouble that does not pass by itself, appends fail. */
  readonly watch?: StreamWatch | undefined;
  /** Called with why an append is sent again, at most once a second. */
  readonly onTrouble?: (reason: string) => void;
}

export const makePublisher = (
  link: NatsLink,
  options: PublisherOptions = {},
): Effect.Effect<Publisher, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new PipelinedPublisher(link, options)),
    (publisher) => Effect.sync(() => publisher.close()),
  );

const noOptions: AppendOptions = {};
const acknowledgeWithinMs = 3_000;
const seeWithinMs = 1_000;
/** How many appends a witness watches for at a time: if it goes blind, these must be sent again and read back. With more in flight, an acknowledgement costs little. */
const mostWatched = 16;
const longestWaitMs = 24_000;
const firstPauseMs = 50;
const longestPauseMs = 500;

class PipelinedPublisher implements Publisher {
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #window: number;
  readonly #onTrouble: (reason: string) => void;
  readonly #watch: StreamWatch | undefined;
  readonly #inbox: string;
  readonly #replyPrefix: string;
  /** Appends that were sent and not answered, by reply token. An append keeps its token, so that the answer to any of its copies ends it. */
  readonly #inFlight = new Map<number, PendingAppend>();
  /** Appends that were not sent yet, because the window is full or the connection is down. */
  #waiting = new Deque<PendingAppend>();
  /** Appends that were refused for now; all are sent again together. */
  #retrying: PendingAppend[] = [];
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = firstPauseMs;
  /** Appends that met a conflict on a retry: it is being checked whether their own copy is what is stored. */
  readonly #settling = new Set<PendingAppend>();
  /** Runs while some append is unanswered. */
  #overdueTimer: ReturnType<typeof setInterval> | undefined;
  #token = 0;
  answered = 0;
  /** Why nothing can be appended any more. */
  #ended: Error | undefined;
  /** Set if the server does not let this user receive acknowledgements. */
  #deaf: PermissionDenied | undefined;
  #drained: (() => void)[] = [];
  #troubleAt = Number.NEGATIVE_INFINITY;
  #stopListening: () => void;
  readonly #endings: (() => void)[];

  constructor(link: NatsLink, options: PublisherOptions) {
    this.#link = link;
    this.#inbox = createInbox(link.inboxPrefix);
    this.#replyPrefix = `${this.#inbox}.`;
    this.#stream = options.stream ?? new Subjects(link.namespace).stream;
    this.#window = options.window ?? 4_096;
    this.#onTrouble = options.onTrouble ?? (() => {});
    this.#watch = options.watch;
    this.#stopListening = this.#listen();
    this.#endings = [
      () => clearInterval(this.#overdueTimer),
      link.onReconnect(() => this.#reconnected()),
      link.onDenied((denial) => this.#denied(denial)),
      options.watch?.onChange(() => this.#streamChanged()) ?? (() => {}),
    ];
    void link.closed.then(() => this.#end("the connection was closed before the server answered"));
  }

  get pending(): number {
    return this.#inFlight.size + this.#waiting.size + this.#retrying.length + this.#settling.size;
  }

  append(subject: string, payload: Uint8Array, expect?: number, options = noOptions): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      const refused = this.#ended ?? this.#deaf ?? this.#watch?.refusal;
      if (refused !== undefined) reject(refused);
      else if (payload.length + largestHeader > this.#link.maxPayload) reject(this.#tooLarge(subject, payload));
      else {
        const unsent = { token: 0, unwatch: undefined, overdueAt: 0, tries: 0 };
        this.#enqueue({ subject, payload, expect, options, resolve, reject, ...unsent });
      }
    });
  }

  drained(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  close(): void {
    this.#end("the publisher was closed before the server answered");
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new StoreUnavailable({ operation: "append", reason });
    for (const end of this.#endings) end();
    clearTimeout(this.#retryTimer);
    this.#stopListening();
    this.#failAll(this.#ended);
  }

  #listen(): () => void {
    return listen(this.#link, `${this.#inbox}.*`, (message) => this.#answer(message));
  }

  #enqueue(append: PendingAppend): void {
    if (this.#waiting.size === 0 && this.#inFlight.size < this.#window && this.#link.isConnected()) this.#send(append);
    else this.#waiting.push(append);
  }

  #send(append: PendingAppend): void {
    const { witness, maySend, replaces } = append.options;
    if (maySend?.() === false) {
      this.#taken(append);
      append.reject(unavailable(append, "its sender may no longer append"));
      return;
    }
    if (append.token === 0) append.token = ++this.#token;
    append.tries += 1;
    const { subject, payload, expect, tries } = append;
    const isWatched = tries === 1 && this.#inFlight.size < mostWatched && witness?.isListening() === true;
    if (isWatched) append.unwatch = witness.watch(subject, (seq) => this.#seen(append, seq));
    append.overdueAt =
      performance.now() + (isWatched ? seeWithinMs : Math.min(acknowledgeWithinMs * 2 ** (tries - 1), longestWaitMs));
    this.#inFlight.set(append.token, append);
    this.#overdueTimer ??= setInterval(() => this.#resendOverdue(), 500);
    const reply = isWatched ? "" : this.#replyPrefix + append.token;
    try {
      const options = expect === undefined ? { reply } : { reply, headers: expectHeaders(expect, replaces) };
      this.#link.nc.publish(subject, payload, options);
    } catch (error) {
      // A server with a smaller max_payload after a reconnect, or a subject that no server would accept.
      this.#taken(append);
      const tooLarge = payload.length + largestHeader > this.#link.maxPayload;
      append.reject(tooLarge ? this.#tooLarge(subject, payload) : unavailable(append, (error as Error).message));
    }
  }

  #answer(message: Msg): void {
    const append = this.#inFlight.get(Number(message.subject.slice(this.#replyPrefix.length)));
    if (append === undefined) return; // an earlier copy has been answered
    this.#taken(append);
    this.answered += 1;
    const seq = ackedSeq(message.data);
    if (seq > 0) {
      this.#pauseMs = firstPauseMs;
      if (this.#watch?.trouble !== undefined) this.#watch.accepted();
      append.resolve({ ok: true, seq });
    } else this.#refused(append, refusalOf(message, this.#link.namespace));
    this.#goOn();
  }

  /** The witness has seen the entry in the log. */
  #seen(append: PendingAppend, seq: number): void {
    if (!this.#inFlight.delete(append.token)) return; // answered before
    this.answered += 1;
    append.resolve({ ok: true, seq });
    this.#goOn();
  }

  /** The append is answered, or given up: neither the reply inbox nor a witness waits for it any more. */
  #taken(append: PendingAppend): void {
    this.#inFlight.delete(append.token);
    append.unwatch?.();
  }

  #goOn(): void {
    if (this.#waiting.size > 0) this.#pump();
    else this.#tellDrained();
  }

  #refused(append: PendingAppend, refusal: Refusal): void {
    if (refusal.kind === "transient") this.#retryLater(append, refusal.reason);
    else if (refusal.kind === "too large") append.reject(this.#tooLarge(append.subject, append.payload));
    else if (refusal.kind === "full") {
      this.#watch?.refusedAsFull(refusal.error.reason);
      append.reject(refusal.error);
    } else if (refusal.kind === "refused") append.reject(unavailable(append, refusal.reason));
    else if (append.tries > 1) void this.#settle(append, refusal.lastSeq);
    else append.resolve(conflict(refusal.lastSeq));
  }

  /** A retried append may have met its own first copy: then it is stored, and this is no conflict. Asks the stream's leader, as replicas may lag. */
  async #settle(append: PendingAppend, lastSeq: number | undefined): Promise<void> {
    this.#settling.add(append);
    try {
      const stored = await newestFromLeader(this.#link, this.#stream, append.subject);
      const isOurs = stored !== undefined && isSame(stored.data, append.payload);
      append.resolve(isOurs ? { ok: true, seq: stored.seq } : conflict(lastSeq));
    } catch (error) {
      if (this.#settling.has(append)) this.#retryLater(append, (error as Error).message);
    }
    this.#settling.delete(append);
    this.#tellDrained();
  }

  #retryLater(append: PendingAppend, reason: string): void {
    if (this.#ended !== undefined) {
      append.reject(this.#ended);
      return;
    }
    this.#trouble(`${append.subject} is sent again: ${reason}`);
    this.#retrying.push(append);
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      const appends = this.#retrying;
      this.#retrying = [];
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
      for (const again of appends) this.#enqueue(again);
      this.#tellDrained();
    }, this.#pauseMs);
  }

  /** It is unknown what the broken connection has carried, so everything is sent again. The expected sequence prevents duplicates. */
  #reconnected(): void {
    if (this.#deaf !== undefined) {
      this.#deaf = undefined;
      this.#stopListening = this.#listen(); // the client drops a subscription that was refused
    }
    for (const append of [...this.#inFlight.values()]) this.#send(append);
    this.#pump();
  }

  #resendOverdue(): void {
    if (this.#inFlight.size === 0) {
      clearInterval(this.#overdueTimer);
      this.#overdueTimer = undefined;
    }
    if (!this.#link.isConnected()) return;
    const now = performance.now();
    for (const append of this.#inFlight.values()) {
      if (append.overdueAt > now) continue;
      this.#trouble(`${append.subject} is sent again: no acknowledgement`);
      this.#send(append);
    }
    this.#pump();
  }

  #denied(denial: Denial): void {
    if (denial.operation === "subscription") {
      if (denial.subject !== `${this.#inbox}.*`) return;
      this.#deaf = denial.error;
      this.#failAll(denial.error);
      return;
    }
    for (const append of this.#inFlight.values()) {
      if (append.subject !== denial.subject) continue;
      this.#taken(append);
      append.reject(denial.error);
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#waiting.size > 0 && this.#inFlight.size < this.#window && this.#link.isConnected())
      this.#send(this.#waiting.shift()!);
    this.#tellDrained();
  }

  #failAll(error: Error): void {
    const appends = [...this.#inFlight.values(), ...this.#waiting, ...this.#retrying, ...this.#settling];
    this.#waiting = new Deque();
    this.#settling.clear();
    this.#retrying = [];
    for (const append of appends) {
      this.#taken(append);
      append.reject(error);
    }
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.#drained.length === 0 || this.pending > 0) return;
    const listeners = this.#drained;
    this.#drained = [];
    for (const listener of listeners) listener();
  }

  #trouble(reason: string): void {
    const now = performance.now();
    if (now - this.#troubleAt < 1_000) return;
    this.#troubleAt = now;
    void this.#watch?.suspect();
    this.#onTrouble(reason);
  }

  /** If the stream has trouble that does not pass, all appends fail. What was sent may be stored or not. */
  #streamChanged(): void {
    const refusal = this.#watch?.refusal;
    if (refusal !== undefined) this.#failAll(refusal);
  }

  #tooLarge(subject: string, payload: Uint8Array): PayloadTooLarge {
    return new PayloadTooLarge({ what: subject, bytes: payload.length, limit: this.#link.maxPayload - largestHeader });
  }
}

const unavailable = (append: PendingAppend, reason: string) =>
  new StoreUnavailable({ operation: `append to ${append.subject}`, reason });

const conflict = (lastSeq: number | undefined): AppendResult =>
  lastSeq === undefined ? { ok: false, conflict: true } : { ok: false, conflict: true, lastSeq };

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
