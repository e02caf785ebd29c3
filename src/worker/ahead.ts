// The runs that a worker has accepted beyond its slots. An engine in another process learns late that slots are free, and a worker whose runs end at
// once would do nothing meanwhile. Such a worker asks for a few runs ahead, which start as slots become free, a moment later (ADR 69).
import { Deque } from "../collections/deque.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import type { Attempt } from "./attempt.ts";
import type { Executing } from "./executing.ts";
import type { SlotPool } from "./slot-pool.ts";

/** Runs for each slot that may wait here. With more, too many leave the worker beside an engine that has one. */
const perSlot = 3;
const mostWaiting = 900;
/** Runs for each slot that must have ended at once before any is asked for. */
const provenPerSlot = 2;
/** They wait in memory. Units: bytes */
const largestRun = 8_192;
/** What a turn of the event loop may take: runs that wait are late by as much. Units: milliseconds */
const briefMs = 20;

export class Ahead {
  readonly #slots: SlotPool;
  readonly #executing: Executing;
  readonly #now: () => number;
  /** How many may wait: none where what a run takes is more than a slot, or its time. */
  readonly #most: number;
  readonly #waiting = new Deque<Attempt>();
  readonly #judgeSoon = onceATick(() => this.#judge());
  /** Runs in a row that ended in the turn of the event loop in which they began. */
  #proven = 0;
  #begunAt = 0;
  #begun = 0;
  #isStarting = false;

  /** `now`: a monotonic clock in milliseconds */
  constructor(slots: SlotPool, executing: Executing, tasks: Iterable<WorkerTask>, now = () => performance.now()) {
    this.#slots = slots;
    this.#executing = executing;
    this.#now = now;
    const arePlain = Array.from(tasks).every(
      ({ policies, durable }) => policies === undefined && durable === undefined,
    );
    this.#most = arePlain ? Math.min(perSlot * slots.size, mostWaiting) : 0;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * How many runs an engine may assign beyond the slots from now on; those that come late are accepted all the same.
   *
   * Units: `runBytes`, what a run takes in its message
   */
  credit(runBytes: number): number {
    return this.#proven >= provenPerSlot * this.#slots.size && runBytes <= largestRun ? this.#most : 0;
  }

  /** False if too many wait already. */
  get hasRoom(): boolean {
    return this.#waiting.size < this.#most;
  }

  /** It has no slot yet. */
  add(attempt: Attempt): void {
    this.#waiting.push(attempt);
  }

  /** Begins what has its slots, and after it what waits for one. */
  begin(attempts: readonly Attempt[]): void {
    if (this.#most > 0 && (this.#waiting.size > 0 || this.#slots.isShort)) {
      if (this.#begun === 0) this.#begunAt = this.#now();
      this.#begun += attempts.length;
      this.#judgeSoon();
    }
    this.#executing.begin(attempts);
    this.startNext();
  }

  /** A slot may have become free. */
  startNext(): void {
    if (this.#waiting.size === 0 || this.#isStarting) return; // code that ends at once comes here again
    this.#isStarting = true;
    for (let next = this.#waiting.first(); next !== undefined; next = this.#waiting.first()) {
      const hold = this.#slots.take(1);
      if (hold === undefined) break;
      this.#waiting.shift();
      this.#begun += 1;
      next.occupy(hold);
      this.#executing.begin([next]);
    }
    this.#isStarting = false;
  }

  /** Nothing of them has begun: other workers may execute them. */
  giveBack(): void {
    this.#proven = 0;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next.stop({ kind: "returned" });
      this.#executing.begin([next]);
    }
  }

  /** A turn later, what began has ended, or it waits for something: then nothing may wait behind it. */
  #judge(): void {
    const isBrief = this.#executing.running === 0 && this.#now() - this.#begunAt <= briefMs;
    this.#proven = isBrief ? this.#proven + this.#begun : 0;
    this.#begun = 0;
    if (this.#waiting.size > 0) this.giveBack();
  }
}
