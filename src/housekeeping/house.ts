// housekeeping/: what can be removed from the log. Retention, compaction and purges, while this engine leads.
// A house is the state of that.
import type { Fold } from "../fold/fold.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import type { Step } from "../matching/step.ts";
import { OldJournals } from "./old-journals.ts";
import { Retention } from "./retention.ts";
import { SpentSignals } from "./spent-signals.ts";
import { Unanswered } from "./unanswered.ts";

/** Units: milliseconds, unless said otherwise */
export interface HouseOptions {
  /** How many finished runs are kept. */
  readonly keepCount: number;
  readonly keepMs: number;
  /** How much garbage of a task makes a purge worth a request. Units: entries */
  readonly garbageBatch: number;
  readonly singlePurges: number;
  readonly housekeepingDelayMs: number;
}

export type HouseParts = Pick<House, "fold" | "step" | "options" | "forget" | "mayForget">;

/** Created when this engine begins to lead, discarded when it stops. Times are on the scheduler's own clock. */
export class House {
  readonly fold: Fold;
  readonly step: Step;
  readonly options: HouseOptions;
  /** Forgets a task with nothing in the log. Returns false if a worker has it. */
  readonly forget: (log: LoggedTask) => boolean;
  /** Whether nothing in the log up to a sequence is needed for reactions any more. */
  readonly mayForget: (upTo: number) => boolean;
  readonly leadingSince: number;
  readonly retention = new Retention();
  readonly unanswered = new Unanswered();
  readonly journals = new OldJournals();
  readonly spentSignals = new SpentSignals();
  /** Erased runs of which something may be left, and since when there are some. */
  readonly remains = new Set<string>();
  remainsSince = 0;
  /** Some pinned child may no longer be wanted. */
  isUnpinDue = true;
  nextLookAt = 0;
  nextGarbageAt = 0;

  constructor({ fold, step, options, forget, mayForget }: HouseParts) {
    this.fold = fold;
    this.step = step;
    this.options = options;
    this.forget = forget;
    this.mayForget = mayForget;
    this.leadingSince = step.uptime;
  }
}
