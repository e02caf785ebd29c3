// A fault leaves a scheduler state that cannot be trusted: it is discarded, and the log is folded again. What caused the fault is set aside
// in all later states of this engine, so that everything else continues.
import type { Step } from "../matching/step.ts";
import type { SchedulerEvent } from "./events.ts";

/** What was set aside, in words for people, and the run that was being handled. */
export interface Blame {
  readonly setAside?: string;
  readonly run?: string;
}

export class Faults {
  /** Tasks that are set aside: their runs stay in the log, but no worker gets them. */
  readonly tasks = new Set<string>();
  /** Log entries that fail whenever they are folded, as they do on every engine. */
  readonly entries = new Set<number>();
  isHouseAside = false;
  /** The entry whose fold failed last. */
  #failedAt = 0;

  /** Sets aside the cause of the fault, as far as it is known. An entry is folded a second time before it is set aside. */
  blame(event: SchedulerEvent, about: Step["about"]): Blame {
    if (about === "housekeeping") {
      this.isHouseAside = true;
      return { setAside: about };
    }
    const [task, run] = about === undefined ? [] : "key" in about ? [about.task, about.key] : [about.name];
    const named = run === undefined ? {} : { run };
    if (task !== undefined && !this.tasks.has(task)) {
      this.tasks.add(task);
      return { setAside: `task "${task}"`, ...named };
    }
    if (!("seq" in event)) return named;
    if (event.seq === this.#failedAt) {
      this.entries.add(event.seq);
      return { setAside: `entry ${event.seq}`, ...named };
    }
    this.#failedAt = event.seq;
    return named;
  }
}
