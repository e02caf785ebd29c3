// Waits for results, many at once: one inbox, one table. Forwarding is best effort, so whoever still waits is asked for again: after
// a reconnect, when a new engine leads, and with growing pauses. No wait depends on one message.
import { createInbox } from "@nats-io/transport-node";
import { ResultNotAwaited, RunCancelled, RunFailed, RunNotFound } from "../domain/errors.ts";
import type { NatsLink } from "../nats/link.ts";
import { jsonOf } from "../protocol/bytes.ts";
import { decodeAskResultsReply, encodeMessage, errorOfReply, parseJson } from "../protocol/messages.ts";
import { decodeOutcomeEntry, type FinalDetail, type Outcome } from "../protocol/outcome-entry.ts";
import type { Subjects } from "../protocol/subjects.ts";

interface Waiter {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

const firstPauseMs = 2_000;
const longestPauseMs = 60_000;
const keysInARequest = 1_000;

export class Results {
  /** Named in run entries by callers that wait. */
  readonly inbox = createInbox();
  readonly #link: NatsLink;
  readonly #subjects: Subjects;
  readonly #waiters = new Map<string, Waiter[]>();
  /** Keys to ask for with the next request. */
  #toAsk = new Set<string>();
  #isAskScheduled = false;
  #pauseMs = firstPauseMs;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  readonly #end: (() => void)[];

  constructor(link: NatsLink, subjects: Subjects) {
    this.#link = link;
    this.#subjects = subjects;
    const inbox = link.nc.subscribe(this.inbox, {
      callback: (error, message) => {
        if (error === null) this.#receive(message.data);
      },
    });
    const epoch = link.nc.subscribe(subjects.epoch, { callback: () => this.#askForAll() });
    this.#end = [() => inbox.unsubscribe(), () => epoch.unsubscribe(), link.onReconnect(() => this.#askForAll())];
  }

  /** Waits for the output of a run. `mustAsk`: nobody will send it unasked. */
  wait(key: string, mustAsk: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closed(key));
        return;
      }
      const waiters = this.#waiters.get(key);
      if (waiters === undefined) this.#waiters.set(key, [{ resolve, reject }]);
      else waiters.push({ resolve, reject });
      if (mustAsk) this.ask(key);
      this.#watch();
    });
  }

  /** Asks for a result with the next request; all that are asked for in one tick travel together. */
  ask(key: string): void {
    this.#toAsk.add(key);
    if (this.#isAskScheduled) return;
    this.#isAskScheduled = true;
    setImmediate(() => {
      this.#isAskScheduled = false;
      const keys = [...this.#toAsk];
      this.#toAsk.clear();
      for (let i = 0; i < keys.length; i += keysInARequest) void this.#request(keys.slice(i, i + keysInARequest));
    });
  }

  /** Ends a wait whose run could not be created. */
  abandon(key: string, error: Error): void {
    this.#settle(key, (waiter) => waiter.reject(error));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const end of this.#end) end();
    for (const key of [...this.#waiters.keys()]) this.#settle(key, (waiter) => waiter.reject(closed(key)));
  }

  #receive(data: Uint8Array): void {
    this.#pauseMs = firstPauseMs;
    for (const outcome of decodeOutcomeEntry(data).outcomes) {
      if (this.#waiters.has(outcome.key)) this.#deliver(outcome);
    }
  }

  #deliver(outcome: Outcome): void {
    const { key } = outcome;
    if (outcome.kind === "completed") {
      const output = jsonOf(outcome.output);
      this.#settle(key, (waiter) => waiter.resolve(output));
      return;
    }
    const { error, reason, attempts } = outcome.detail as FinalDetail;
    const failure =
      outcome.kind === "cancelled"
        ? new RunCancelled({ key, reason: reason ?? "no reason given" })
        : new RunFailed({ key, error: error ?? { name: "Error", message: "unknown" }, attempts });
    this.#settle(key, (waiter) => waiter.reject(failure));
  }

  #settle(key: string, tell: (waiter: Waiter) => void): void {
    const waiters = this.#waiters.get(key);
    this.#waiters.delete(key);
    for (const waiter of waiters ?? []) tell(waiter);
  }

  async #request(keys: readonly string[]): Promise<void> {
    if (!this.#link.isConnected()) return;
    try {
      const message = encodeMessage({ keys, inbox: this.inbox });
      const reply = await this.#link.nc.request(this.#subjects.engine("result"), message, { timeout: 5_000 });
      if (errorOfReply(parseJson(reply.data, "result reply")) !== undefined) return;
      for (const key of decodeAskResultsReply(reply.data).unknown) this.abandon(key, new RunNotFound({ key }));
    } catch {
      // Nobody leads just now: asked again when somebody does.
    }
  }

  #askForAll(): void {
    this.#pauseMs = firstPauseMs;
    for (const key of this.#waiters.keys()) this.ask(key);
  }

  #watch(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiters.size === 0) {
        this.#pauseMs = firstPauseMs;
        return;
      }
      for (const key of this.#waiters.keys()) this.ask(key);
      this.#pauseMs = Math.min(this.#pauseMs * 1.5, longestPauseMs);
      this.#watch();
    }, this.#pauseMs);
  }
}

const closed = (key: string) => new ResultNotAwaited({ key, reason: "the client was closed" });
