// Journals that nobody needs any more.
import { Deque } from "../collections/deque.ts";
import type { Step } from "../matching/step.ts";

/** A journal, by its run. */
export interface OldJournal {
  readonly key: string;
  readonly origin: number;
}

/** After this time everybody who might append, or assign the run, knows that it is over. Units: milliseconds */
const purgeAfterMs = 60_000;
const sweepEveryMs = 3_600_000;
const purgesAtOnce = 200;

/** A journal is removed as a whole: a while after its run was forgotten, or when a sweep finds that a crash has left it behind. */
export class OldJournals {
  /** Journals that are to be purged, and when. */
  readonly waiting = new Deque<OldJournal & { readonly at: number }>();
  /** When to look for what was left behind. */
  #sweepAt = 0;

  add({ key, origin }: OldJournal, { uptime }: Step): void {
    this.waiting.push({ key, origin, at: uptime + purgeAfterMs });
  }
  /** Purges what is due. If a purge fails, or the leader dies, the next sweep finds the journal. */
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
  /** What a sweep has found cannot be judged yet: looks again soon. */
  sweepAgain({ uptime }: Step): void {
    this.#sweepAt = uptime + purgeAfterMs;
  }
}
