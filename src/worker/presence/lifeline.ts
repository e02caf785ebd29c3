// The lifeline: whether the leader still counts on this worker. A process that was suspended, or a message that comes late, must not start what was
// given to others meanwhile. All times are spans on monotonic clocks, which go on while a process is suspended.
import { stopAfterMs } from "../../domain/cut-off.ts";
import { acknowledgeWithinMs } from "../../wire/assignment.ts";

/** An assignment older than this is refused: the leader takes back runs that were not acknowledged in time. Units: milliseconds */
const freshMs = acknowledgeWithinMs * 0.9;
/** The leader assigns nothing to a worker that was silent for 12 s, and gives its runs to others after 30 s. */
const aliveMs = 10_000;
/** How many answers are remembered: the quickest tells best what the leader's clock shows, but clocks drift. */
const keptAnswers = 8;

export class Lifeline {
  readonly #now: () => number;
  readonly #beatenAt: () => number;
  /** The epoch of the leader that this worker is registered with; 0 = none yet. */
  epoch = 0;
  /** For each answer: how far the leader's clock is ahead of this one, at most. */
  #aheadMs: number[] = [];
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** `beatenAt`: when a thread's heartbeat for this worker was last answered. */
  constructor(now: () => number = () => performance.now(), beatenAt: () => number = () => Number.NEGATIVE_INFINITY) {
    this.#now = now;
    this.#beatenAt = beatenAt;
  }

  now(): number {
    return this.#now();
  }

  /** From now on the worker is registered with this leader. Its epoch may be older than the last one: a lease that was recreated counts from 1. */
  follow(epoch: number): void {
    if (epoch !== this.epoch) this.#aheadMs = [];
    this.epoch = epoch;
  }

  /** The leader has answered what was sent at `askedAt`. `clock`: what its own clock showed then, if it says so. */
  answered(askedAt: number, clock: number | undefined): void {
    this.#answeredAt = Math.max(this.#answeredAt, askedAt);
    if (clock === undefined) return;
    this.#aheadMs.push(clock - askedAt);
    if (this.#aheadMs.length > keptAnswers) this.#aheadMs.shift();
  }

  /** Whether the clock of this leader is known. */
  knows(epoch: number): boolean {
    return epoch === this.epoch && this.#aheadMs.length > 0;
  }

  /** Whether a message sent at `sentAt`, by the leader's clock, may be older than the leader waits for the acknowledgement. */
  isLate(epoch: number, sentAt: number): boolean {
    return !this.knows(epoch) || this.#now() + Math.min(...this.#aheadMs) - sentAt > freshMs;
  }

  /** Whether the leader, if there is one, has given up this worker long ago: what it executes may be executed elsewhere. */
  isCutOff(): boolean {
    return this.#silentMs > stopAfterMs;
  }

  /** Whether runs that were accepted a while ago are still this worker's. */
  isAlive(): boolean {
    return this.#silentMs < aliveMs;
  }

  get #silentMs(): number {
    return this.#now() - Math.max(this.#answeredAt, this.#beatenAt());
  }
}
