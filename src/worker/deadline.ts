// The execution timeouts of attempts: counted from the start of user code by a clock that nobody sets, movable by user code. One timer
// for all attempts of a worker: one for each would cost more than many a task.

/** The longest wait that a timer of the runtime can hold; a longer one is waited for in parts. */
const longestTimerMs = 2 ** 31 - 1;

/** By what deadlines are counted. Units: milliseconds */
export interface Timers {
  now(): number;
  set(act: () => void, ms: number): unknown;
  /** What {@link Timers.set} gave; undefined when nothing was set yet. */
  clear(timer: unknown): void;
}

const runtimeTimers: Timers = {
  now: () => performance.now(),
  set: (act, ms) => setTimeout(act, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
};

export class Deadlines {
  readonly #timers: Timers;
  readonly #watched = new Set<Deadline>();
  #timer: unknown;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(timers: Timers = runtimeTimers) {
    this.#timers = timers;
  }

  now(): number {
    return this.#timers.now();
  }

  add(deadline: Deadline): void {
    this.#watched.add(deadline);
    if (deadline.endsAt < this.#timerAt) this.#arm(deadline.endsAt);
  }

  /** The timer may stay; it finds nothing to do then. */
  remove(deadline: Deadline): void {
    if (this.#watched.delete(deadline) && this.#watched.size === 0) this.#disarm();
  }

  #arm(at: number): void {
    this.#timers.clear(this.#timer);
    this.#timerAt = at;
    this.#timer = this.#timers.set(() => this.#ring(), Math.min(Math.max(0, at - this.now()), longestTimerMs));
  }

  #disarm(): void {
    this.#timers.clear(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.now();
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of [...this.#watched]) {
      if (deadline.endsAt <= now) deadline.expire();
      else next = Math.min(next, deadline.endsAt);
    }
    if (this.#watched.size > 0 && next < this.#timerAt) this.#arm(next);
  }
}

export class Deadline {
  readonly #deadlines: Deadlines;
  readonly #onExpired: () => void;
  #endsAt: number;
  #isWatched = false;
  #allowedMs: number;

  /** User code began at `begunAt`, on the clock of {@link Deadlines.now}. */
  constructor(deadlines: Deadlines, begunAt: number, allowedMs: number, onExpired: () => void) {
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
    this.#allowedMs = allowedMs;
    this.#endsAt = begunAt + allowedMs;
  }

  /** What the attempt may take in all, extensions included. */
  get allowedMs(): number {
    return this.#allowedMs;
  }

  /** On the clock of {@link Deadlines.now}. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** From here on it can expire; code that ends before it returns control never needs that. */
  watch(): void {
    this.#isWatched = true;
    this.#deadlines.add(this);
  }

  extend(ms: number): void {
    this.#allowedMs += ms;
    this.#endsAt += ms;
  }

  clear(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#deadlines.remove(this);
  }

  expire(): void {
    this.clear();
    this.#onExpired();
  }
}
