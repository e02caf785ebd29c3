// How often new entries arrive, and how late this engine reads them, on average over the last few.
const samples = 32;
/** Where entries come more often than this, messages are much of what a run costs. */
const oftenMs = 3;
/** Longer pauses count as this one. */
const longestGapMs = 100;
const promptMs = 5;

export class ArrivalPace {
  #gapMs = longestGapMs;
  /** Long if user code blocks this process. */
  #delayMs = 0;
  #readAt = 0;

  /** An entry that the server stored at `at` has been read. Units: epoch milliseconds */
  note(at: number, now: number): void {
    this.#gapMs += (Math.min(Math.max(now - this.#readAt, 0), longestGapMs) - this.#gapMs) / samples;
    this.#delayMs += (Math.max(now - at, 0) - this.#delayMs) / samples;
    this.#readAt = now;
  }

  /** Whether entries arrive in a steady stream, some hundreds a second, and this engine keeps up with them. */
  get isBrisk(): boolean {
    return this.#gapMs < oftenMs && this.#delayMs < promptMs;
  }
}
