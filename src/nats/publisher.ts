// Appends to the log, many at a time: one reply inbox, a window of unacknowledged messages, and patience. An append ends when the
// server has acknowledged or refused it; outages in between are retried here and seen by nobody else. The client's own `js.publish`
// does the same one by one, at three times the server's work.
import { createInbox, headers, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import { Effect, type Scope } from "effect";
import { PayloadTooLarge, QueueFull, StoreUnavailable } from "../domain/errors.ts";
import type { NatsLink } from "./link.ts";
import { lastOf } from "./stored-message.ts";

export type AppendResult =
  | { readonly ok: true; readonly seq: number }
  | { readonly ok: false; readonly conflict: true };

export interface Publisher {
  /**
   * Appends one message; `expect` is the sequence that its subject must have (0: none yet).
   *
   * Fails: {@link PayloadTooLarge}, {@link QueueFull}, {@link StoreUnavailable} when the publisher was closed before the answer
   */
  append(subject: string, payload: Uint8Array, expect?: number): Promise<AppendResult>;
  /** Appends that are not yet acknowledged. */
  readonly pending: number;
  /** Resolves when nothing is pending. */
  drained(): Promise<void>;
}

interface Append {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly expect: number | undefined;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
  sentAt: number;
  tries: number;
}

const acknowledgeWithinMs = 3_000;
const retryPauseMs = 100;

export const makePublisher = (
  link: NatsLink,
  stream: string,
  options: { readonly window?: number } = {},
): Effect.Effect<Publisher, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new PipelinedPublisher(link, stream, options.window ?? 4_096)),
    (publisher) => Effect.sync(() => publisher.close()),
  );

class PipelinedPublisher implements Publisher {
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #inbox = createInbox();
  readonly #expectNone = expectHeaders(0);
  readonly #seqOffset: number;
  readonly #window: number;
  /** Sent and unanswered, by reply token. Written by #send, emptied by #answer. */
  readonly #inFlight = new Map<number, Append>();
  /** Not yet sent: the window is full, the link is down, or a retry waits. */
  #waiting: Append[] = [];
  #waitingFrom = 0;
  #token = 0;
  #isClosed = false;
  #drained: (() => void)[] = [];
  readonly #end: () => void;

  constructor(link: NatsLink, stream: string, window: number) {
    this.#link = link;
    this.#stream = stream;
    this.#window = window;
    this.#seqOffset = `{"stream":"${stream}","seq":`.length;
    const subscription = link.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error === null ? this.#answer(message) : undefined),
    });
    const stopListening = link.onReconnect(() => this.#resendAll());
    const timer = setInterval(() => this.#resendOverdue(), 500);
    this.#end = () => {
      clearInterval(timer);
      stopListening();
      subscription.unsubscribe();
    };
  }

  get pending(): number {
    return this.#inFlight.size + this.#waiting.length - this.#waitingFrom;
  }

  append(subject: string, payload: Uint8Array, expect?: number): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closedError());
        return;
      }
      if (payload.length + 256 > this.#link.maxPayload) {
        reject(this.#tooLarge({ subject, payload }));
        return;
      }
      this.#enqueue({ subject, payload, expect, resolve, reject, sentAt: 0, tries: 0 });
    });
  }

  drained(): Promise<void> {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
    for (const append of [...this.#inFlight.values(), ...this.#waiting.slice(this.#waitingFrom)])
      append.reject(closedError());
    this.#inFlight.clear();
    this.#waiting = [];
    this.#waitingFrom = 0;
    this.#tellDrained();
  }

  #enqueue(append: Append): void {
    if (this.#inFlight.size < this.#window && this.#waiting.length === this.#waitingFrom && this.#link.isConnected())
      this.#send(append);
    else this.#waiting.push(append);
  }

  #send(append: Append): void {
    const token = ++this.#token;
    append.tries += 1;
    append.sentAt = Date.now();
    this.#inFlight.set(token, append);
    try {
      const reply = `${this.#inbox}.${token}`;
      const hdrs =
        append.expect === undefined ? undefined : append.expect === 0 ? this.#expectNone : expectHeaders(append.expect);
      this.#link.nc.publish(append.subject, append.payload, hdrs === undefined ? { reply } : { reply, headers: hdrs });
    } catch (error) {
      this.#inFlight.delete(token);
      append.reject(
        new StoreUnavailable({ operation: `append to ${append.subject}`, reason: (error as Error).message }),
      );
    }
  }

  #answer(message: Msg): void {
    const token = Number(message.subject.slice(this.#inbox.length + 1));
    const append = this.#inFlight.get(token);
    if (append === undefined) return; // answered before: the first copy of a retried append
    this.#inFlight.delete(token);
    const seq = readSeq(message.data, this.#seqOffset);
    if (seq > 0) append.resolve({ ok: true, seq });
    else this.#refused(append, message);
    this.#pump();
  }

  #refused(append: Append, message: Msg): void {
    const answer = message.data.length === 0 ? undefined : (message.json() as PubAck);
    const { err_code: code, description = "" } = answer?.error ?? {};
    if (answer?.seq && answer.error === undefined) append.resolve({ ok: true, seq: answer.seq });
    else if (code === 10071 && append.tries === 1) append.resolve({ ok: false, conflict: true });
    else if (code === 10071) void this.#settleConflict(append);
    else if (code === 10077) append.reject(new QueueFull({ namespace: this.#link.namespace, reason: description }));
    else if (code === 10054) append.reject(this.#tooLarge(append));
    // No responders (no leader yet, server just back), a peer in flight (10164), resources: all pass.
    else setTimeout(() => this.#retry(append), retryPauseMs);
  }

  /** A retried append may have met its own first copy: then it is stored, and no conflict. */
  async #settleConflict(append: Append): Promise<void> {
    try {
      const stored = await lastOf(this.#link, this.#stream, append.subject);
      if (stored !== undefined && isSame(stored.data, append.payload)) append.resolve({ ok: true, seq: stored.seq });
      else append.resolve({ ok: false, conflict: true });
    } catch {
      setTimeout(() => this.#retry(append), retryPauseMs);
    }
    this.#tellDrained();
  }

  #tooLarge(append: { readonly subject: string; readonly payload: Uint8Array }): PayloadTooLarge {
    return new PayloadTooLarge({ what: append.subject, bytes: append.payload.length, limit: this.#link.maxPayload });
  }

  #retry(append: Append): void {
    if (this.#isClosed) append.reject(closedError());
    else this.#enqueue(append);
  }

  /** What the broken connection carried is unknown: send it again, the expected sequence keeps it single. */
  #resendAll(): void {
    const appends = [...this.#inFlight.values()];
    this.#inFlight.clear();
    this.#waiting = [...appends, ...this.#waiting.slice(this.#waitingFrom)];
    this.#waitingFrom = 0;
    this.#pump();
  }

  #resendOverdue(): void {
    if (!this.#link.isConnected()) return;
    const overdue = Date.now() - acknowledgeWithinMs;
    for (const [token, append] of this.#inFlight) {
      if (append.sentAt > overdue) break; // insertion order is order of sending
      this.#inFlight.delete(token);
      this.#send(append);
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#waitingFrom < this.#waiting.length && this.#inFlight.size < this.#window && this.#link.isConnected()) {
      this.#send(this.#waiting[this.#waitingFrom]!);
      this.#waitingFrom += 1;
    }
    if (this.#waitingFrom === this.#waiting.length && this.#waitingFrom > 0) {
      this.#waiting = [];
      this.#waitingFrom = 0;
    }
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.pending > 0 || this.#drained.length === 0) return;
    const listeners = this.#drained;
    this.#drained = [];
    for (const listener of listeners) listener();
  }
}

interface PubAck {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

const closedError = () =>
  new StoreUnavailable({ operation: "append", reason: "the connection was closed before the server answered" });

/** The digits after `{"stream":"…","seq":`; 0 when the answer is anything else than that. */
function readSeq(data: Uint8Array, offset: number): number {
  if (data.length <= offset || data[2] !== 0x73) return 0; // `s` of "stream"; errors begin with "error"
  let seq = 0;
  for (let i = offset; i < data.length; i++) {
    const digit = data[i]! - 48;
    if (digit < 0 || digit > 9) break;
    seq = seq * 10 + digit;
  }
  return seq;
}

/** Encoding headers costs more than the rest of a publish, and nearly all appends expect 0. */
function expectHeaders(expect: number): MsgHdrs {
  const made = headers();
  made.set("Nats-Expected-Last-Subject-Sequence", String(expect));
  const encoded = (made as unknown as { encode(): Uint8Array }).encode();
  return Object.assign(made, { encode: () => encoded });
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
