// Journals that nobody needs any more.
import { Deque } from "../collections/deque.ts";
import type { Step } from "../matching/step.ts";

/** Of which run. */
export interface OldJournal {
  readonly key: string;
  readonly origin: number;
}

/** By then everybody who might append or assign knows that the run is over. Units: milliseconds */
const purgeAfterMs = 60_000;
const sweepEveryMs = 3_600_000;
const purgesAtOnce = 200;

/** Journals of durable runs are removed as a whole: a while after their runs are forgotten, or when leftovers of a crash are found. */
export class OldJournals {
  /** With the time at which they are purged. */
  readonly waiting = new Deque<OldJournal & { readonly at: number }>();
  /** When to look for leftovers. */
  #sweepAt = 0;

  add({ key, origin }: OldJournal, { uptime }: Step): void {
    this.waiting.push({ key, origin, at: uptime + purgeAfterMs });
  }
  /** If a purge fails or a leader dies, the next sweep finds the journal. */
  purge({ uptime, commands }: Step): void {
    for (let i = 0; i < purgesAtOnce; i++) {
      const first = this.waiting.first();
      if (first === undefined || first.at > uptime) break;
      this.waiting.shift();
      commands.push({ type: "purgeJournal", key: first.key, origin: first.origin });
    }
    if (uptime < this.#sweepAt) return;
    this.#sweepAt = uptime + sweepEveryMs;
    commands.push({ type: "sweep" });
  }
  /** What was found cannot be judged yet. */
  sweepAgain({ uptime }: Step): void {
    this.#sweepAt = uptime + purgeAfterMs;
  }
}
