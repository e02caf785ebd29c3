// fold/: what the log says. A function of its entries, the same on every engine; it knows neither workers nor queues, and has no clock.
// Imports wire and domain, and nothing of the rooms above it, which hear what changes through a FoldListener.
import { KeyIndex } from "../collections/key-index.ts";
import type { FinishedRun, RememberedOutcome } from "./finished-run.ts";
import { Inputs } from "./inputs.ts";
import type { FoldListener } from "./listener.ts";
import type { LiveRun } from "./live-run.ts";
import { LoggedTask } from "./logged-task.ts";

/** Written by the functions of this room; where entries stand also by housekeeping, which knows what it has purged. */
export class Fold {
  /** Sequence of the last entry folded. */
  position = 0;
  /** Where outcomes began when that was asked last, and the first sequence behind it that was skipped since. */
  outcomesFrom = 0;
  skippedFrom = Number.POSITIVE_INFINITY;
  readonly live: KeyIndex<LiveRun>;
  /** In the order of their outcomes, but for those in `unordered`. */
  readonly finished: KeyIndex<FinishedRun>;
  readonly unordered = new Set<FinishedRun>();
  /** Outcomes of keys that are neither live nor finished (rule 3). */
  readonly unexplained = new Map<string, RememberedOutcome[]>();
  /** Keys with outcomes beside an accepted final one: what a purge of outcomes must look at. */
  readonly entangled = new Set<string>();
  /** Entries of forgotten keys that came too late to be removed before the retention mark. */
  readonly leftovers = new Map<string, number>();
  lastMark: { readonly writer: string; readonly upTo: number } | undefined = undefined;
  readonly tasks = new Map<string, LoggedTask>();
  readonly inputs: Inputs;
  /** Undefined on a standby. */
  listener: FoldListener | undefined = undefined;

  #lastInbox = "";

  /** `hashSeed`: no other engine has the same, so that nobody can choose ids that share a place in its tables. Units: bytes */
  constructor(inputBudgetBytes: number, hashSeed = 0) {
    this.live = new KeyIndex(false, hashSeed);
    this.finished = new KeyIndex(true, hashSeed);
    this.inputs = new Inputs(inputBudgetBytes);
  }
  logOf(task: string): LoggedTask {
    let log = this.tasks.get(task);
    if (log === undefined) {
      log = new LoggedTask(task);
      this.tasks.set(task, log);
    }
    return log;
  }
  /** The same text in one string, however many runs name it. */
  inboxOnce(inbox: string): string {
    if (inbox !== this.#lastInbox) this.#lastInbox = inbox;
    return this.#lastInbox;
  }
}
