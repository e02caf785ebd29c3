// housekeeping/: what may leave the log. Retention, compaction and purges, for as long as this engine leads.
// Imports the fold, and of matching only what a run is doing and how commands are said.
import { Deque } from "../collections/deque.ts";
import type { Fold } from "../fold/fold.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import type { Step } from "../matching/step.ts";
import { type OldJournal, Retention, type SpentSignal } from "./retention-state.ts";

/** Units: milliseconds, unless said otherwise */
export interface HouseOptions {
  /** Finished runs to keep. */
  readonly keepCount: number;
  readonly keepMs: number;
  /** Garbage entries of a task before a purge is worth a request. */
  readonly garbageBatch: number;
  readonly singlePurges: number;
  readonly housekeepingDelayMs: number;
}

export type HouseParts = Pick<House, "fold" | "step" | "options" | "forget" | "mayForget">;

/** Made when this engine begins to lead, and thrown away when it ceases to. */
export class House {
  readonly fold: Fold;
  readonly step: Step;
  readonly options: HouseOptions;
  /** Gives up a task of which the log holds nothing; false when somebody works on it. */
  readonly forget: (log: LoggedTask) => boolean;
  /** Whether nobody owes anything any more to what the log says up to a sequence. */
  readonly mayForget: (upTo: number) => boolean;
  readonly retention: Retention;
  /** Some child may be pinned that nobody waits for any more. */
  isUnpinDue = true;
  /** Journals that go at their time, on the own clock; and when leftovers are looked for. */
  readonly forgottenJournals = new Deque<OldJournal & { readonly at: number }>();
  nextSweepAt = 0;
  /** Signals that may go. */
  readonly spentSignals = new Map<string, SpentSignal>();
  /** Asked to be purged, and not yet answered. */
  readonly purging = new Set<LoggedTask>();

  constructor({ fold, step, options, forget, mayForget }: HouseParts) {
    this.fold = fold;
    this.step = step;
    this.options = options;
    this.forget = forget;
    this.mayForget = mayForget;
    this.retention = new Retention(step.uptime);
  }
}
