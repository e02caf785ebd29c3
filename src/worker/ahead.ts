// The runs that a worker has accepted ahead, beyond its slots. An engine in another process learns late that slots are free, and a worker whose
// runs end at once would do nothing meanwhile. So it asks for a few runs ahead, which begin a moment later, as slots become free (ADR 69).
import { Deque } from "../collections/deque.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { onceATick } from "../runtime/once-a-tick.ts";
import type { Attempt } from "./attempt.ts";
import type { Executing } from "./executing.ts";
import type { SlotPool } from "./slot-pool.ts";

/** How many runs may wait here for each slot. With more, a worker beside the engine would lose too many runs to this one. */
const perSlot = 3;
const mostWaiting = 900;
/** How many runs in a row must have ended at once, for each slot, before any is asked for. */
const provenPerSlot = 2;
/** No runs are asked for while they are larger than this, because they wait in memory. Units: bytes */
const largestRun = 8_192;
/** How long the code of one turn of the event loop may take: runs that wait are late by as much. Units: milliseconds */
const briefMs = 20;

export class Ahead {
  readonly #slots: SlotPool;
  readonly #executing: Executing;
  readonly #now: () => number;
  /** How many may wait. None if tasks are durable or have policies: such a run may need more than a free slot. */
  readonly #most: number;
  readonly #waiting = new Deque<Attempt>();
  readonly #judgeSoon = onceATick(() => this.#judge());
  /** How many runs in a row ended in the turn of the event loop in which they began. */
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
   * How many runs an engine may assign beyond the slots from now on. Runs that arrive after this has changed are accepted all the same.
   *
   * Units: `runBytes` bytes, the share of a run in its message
   */
  credit(runBytes: number): number {
    return this.#proven >= provenPerSlot * this.#slots.size && runBytes <= largestRun ? this.#most : 0;
  }

  /** Whether another run may wait. */
  get hasRoom(): boolean {
    return this.#waiting.size < this.#most;
  }

  /** Adds an attempt that has no slot yet. */
  add(attempt: Attempt): void {
    this.#waiting.push(attempt);
  }

  /** Begins attempts that have their slots, and then those that wait for one. */
  begin(attempts: readonly Attempt[]): void {
    if (this.#most > 0 && (this.#waiting.size > 0 || this.#slots.isShort)) this.#note(attempts.length);
    this.#executing.begin(attempts);
    this.startNext();
  }

  /** Begins the next attempts as far as slots are free. */
  startNext(): void {
    if (this.#waiting.size === 0 || this.#isStarting) return; // code that ends at once calls this again
    this.#isStarting = true;
    for (let next = this.#waiting.first(); next !== undefined; next = this.#waiting.first()) {
      if (this.#begun > 0 && this.#isLong) {
        this.giveBack();
        break;
      }
      const hold = this.#slots.take(1);
      if (hold === undefined) break;
      this.#waiting.shift();
      this.#note(1);
      next.occupy(hold);
      this.#executing.begin([next]);
    }
    this.#isStarting = false;
  }

  #note(begun: number): void {
    if (this.#begun === 0) this.#begunAt = this.#now();
    this.#begun += begun;
    this.#judgeSoon();
  }

  /** This turn of the event loop has taken so long that what waits had better begin elsewhere. */
  get #isLong(): boolean {
    return this.#now() - this.#begunAt > briefMs;
  }

  /** Gives back all attempts that wait. Their code has not begun, so other workers may execute them. */
  giveBack(): void {
    this.#proven = 0;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next.stop({ kind: "returned" });
      this.#executing.begin([next]);
    }
  }

  /** Judges, a turn later, the code that has begun. If any has not ended, it waits for something, and no run may wait behind it. What has come since begins next. */
  #judge(): void {
    const hasEnded = this.#executing.running === 0;
    this.#proven = hasEnded && !this.#isLong ? this.#proven + this.#begun : 0;
    this.#begun = 0;
    if (!hasEnded) this.giveBack();
  }
}
