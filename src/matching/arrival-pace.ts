// How often new entries arrive, and how late this engine reads them, on average over the last few.
const samples = 32;
/** Where entries come more often than this, fifty a second, messages are much of what a run costs (ADR 68). */
const oftenMs = 20;
/** A pause that ends a stream. */
const longestGapMs = 100;
const promptMs = 5;

export class ArrivalPace {
  #gapMs = longestGapMs;
  /** Long if user code blocks this process. */
  #delayMs = 0;
  #readAt = 0;

  /** An entry that the server stored at `at` has been read. Units: epoch milliseconds */
  note(at: number, now: number): void {
    const gapMs = Math.max(now - this.#readAt, 0);
    if (gapMs < longestGapMs) this.#gapMs += (gapMs - this.#gapMs) / samples;
    else this.#gapMs = longestGapMs;
    this.#delayMs += (Math.max(now - at, 0) - this.#delayMs) / samples;
    this.#readAt = now;
  }

  /** Whether entries arrive in a steady stream, fifty a second or more, and this engine keeps up with them. */
  get isBrisk(): boolean {
    return this.#gapMs < oftenMs && this.#delayMs < promptMs;
  }
}
