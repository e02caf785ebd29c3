// Whether the leader can still count on this worker. A suspended process, or a late message, must not start
// what was given to others in the meantime. All times are spans on monotonic clocks that continue while a process is suspended.
import { stopAfterMs } from "../../domain/cut-off.ts";
import { acknowledgeWithinMs } from "../../wire/assignment.ts";

/** The leader takes back runs whose assignment was not acknowledged in time: what arrives later than this is refused. */
const freshMs = acknowledgeWithinMs * 0.9;
/** The leader assigns nothing to a worker that was silent for 12 s, and gives its runs to others after 30 s. */
const aliveMs = 10_000;
/** The quickest of the last answers knows the leader's clock best; clocks drift, so old ones do not count. */
const keptAnswers = 8;

export class Lifeline {
  readonly #now: () => number;
  readonly #beatenAt: () => number;
  /** Of the leader that this worker is registered with; 0: of none yet. */
  epoch = 0;
  /** How far the leader's clock is ahead of this one, at most; one per answer. */
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

  /** Registered with this leader from now on. It may have an older epoch than the last one: a lease that was recreated counts from 1. */
  follow(epoch: number): void {
    if (epoch !== this.epoch) this.#aheadMs = [];
    this.epoch = epoch;
  }

  /** The leader answered what was sent at `askedAt`; `clock` is its own at that moment, if it tells. */
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
