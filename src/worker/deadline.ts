// Deadlines: the timeouts of attempts, measured from the start of user code on a monotonic clock, and extensible by user code. There is one timer
// for all attempts of a worker: one for each would cost more than many tasks do.
import { longestTimerMs } from "../runtime/long-timer.ts";

/** The clock for deadlines. Units: milliseconds */
export interface Timers {
  now(): number;
  set(act: () => void, ms: number): unknown;
  /** The result of {@link Timers.set}; undefined if nothing was set yet. */
  clear(timer: unknown): void;
}

const runtimeTimers: Timers = {
  now: () => performance.now(),
  set: (act, ms) => setTimeout(act, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
};

export class Deadlines {
  readonly #timers: Timers;
  /** The first of the deadlines that are watched, which are a linked list. */
  #first: Deadline | undefined;
  #timer: unknown;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(timers: Timers = runtimeTimers) {
    this.#timers = timers;
  }

  now(): number {
    return this.#timers.now();
  }

  add(deadline: Deadline): void {
    deadline.next = this.#first;
    if (this.#first !== undefined) this.#first.previous = deadline;
    this.#first = deadline;
    if (deadline.endsAt < this.#timerAt) this.#arm(deadline.endsAt);
  }

  /** The timer may stay: it will find nothing to do. */
  remove(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous !== undefined) previous.next = next;
    else this.#first = next;
    if (next !== undefined) next.previous = previous;
    deadline.previous = deadline.next = undefined;
    if (this.#first === undefined) this.#disarm();
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
    const expired: Deadline[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (let each = this.#first; each !== undefined; each = each.next) {
      if (each.endsAt <= now) expired.push(each);
      else next = Math.min(next, each.endsAt);
    }
    for (const deadline of expired) deadline.expire();
    if (this.#first !== undefined && next < this.#timerAt) this.#arm(next);
  }
}

export class Deadline {
  readonly #deadlines: Deadlines;
  readonly #owner: { expired(): void };
  /** The deadlines beside it in the list. Written by {@link Deadlines}. */
  previous: Deadline | undefined;
  next: Deadline | undefined;
  #endsAt: number;
  #isWatched = false;
  #allowedMs: number;

  /** User code began at `begunAt`, on the clock of {@link Deadlines.now}. */
  constructor(deadlines: Deadlines, begunAt: number, allowedMs: number, owner: { expired(): void }) {
    this.#deadlines = deadlines;
    this.#owner = owner;
    this.#allowedMs = allowedMs;
    this.#endsAt = begunAt + allowedMs;
  }

  /** What the attempt may take in all, extensions included. */
  get allowedMs(): number {
    return this.#allowedMs;
  }

  /** When it expires, on the clock of {@link Deadlines.now}. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** From now on it can expire. Code that ends synchronously never gets here. */
  watch(): void {
    this.#isWatched = true;
    this.#deadlines.add(this);
  }

  /** Starts over: the time before does not count, because user code starts only now. */
  restart(begunAt: number, allowedMs: number): void {
    const { isWatched } = this;
    this.clear();
    this.#allowedMs = allowedMs;
    this.#endsAt = begunAt + allowedMs;
    if (isWatched) this.watch();
  }

  get isWatched(): boolean {
    return this.#isWatched;
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
    this.#owner.expired();
  }
}
