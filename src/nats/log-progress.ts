// The progress of a log: how far it is folded, and who waits until it is folded up to some place.
import { inRounds } from "../runtime/in-rounds.ts";
import type { RunStore } from "./run-store.ts";

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
}

const brieflyMs = 100;
const lookAgainMs = 1_000;

export class LogProgress {
  /** Sequence of the newest entry folded. */
  position = 0;
  readonly #store: Pick<RunStore, "lastSeq" | "newestSeq">;
  #waiters: Waiter[] = [];
  /** The first position that somebody waits for. */
  #awaited = Number.POSITIVE_INFINITY;

  constructor(store: Pick<RunStore, "lastSeq" | "newestSeq">) {
    this.#store = store;
  }

  moveTo(seq: number): void {
    this.position = seq;
    if (seq >= this.#awaited) this.#tellWaiters();
  }

  /** Resolves when everything up to `seq` is folded. */
  reached(seq: number): Promise<void> {
    if (this.position >= seq) return Promise.resolve();
    this.#awaited = Math.min(this.#awaited, seq);
    return new Promise((resolve) => this.#waiters.push({ seq, resolve }));
  }

  /** Lets everybody go on: the log has been replaced, and may never get as far as they wait for. */
  giveUpWaiting(): void {
    this.#awaited = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  /**
   * Resolves when everything that is stored by now is folded. Does not wait for what is purged in the meantime.
   *
   * Asks the stream's leader what is stored: a replica may not have what was acknowledged to a caller. Fails: StoreUnavailable
   */
  readonly catchUp: () => Promise<void> = inRounds(() => this.#catchUpOnce());

  async #catchUpOnce(): Promise<void> {
    if (await isWithin(brieflyMs, this.reached(await this.#store.lastSeq()))) return;
    for (;;) {
      const newest = await this.#store.newestSeq(); // the last ones may have been purged
      if (await isWithin(lookAgainMs, this.reached(newest))) return;
    }
  }

  /** There are few waiters (a takeover, a cancel), so a pass over all of them is cheap. */
  #tellWaiters(): void {
    const reached = this.#waiters.filter((waiter) => waiter.seq <= this.position);
    this.#waiters = this.#waiters.filter((waiter) => waiter.seq > this.position);
    this.#awaited = this.#waiters.reduce((first, { seq }) => Math.min(first, seq), Number.POSITIVE_INFINITY);
    for (const waiter of reached) waiter.resolve();
  }
}

/** Whether something is done within `ms`. */
function isWithin(ms: number, something: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void something.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
