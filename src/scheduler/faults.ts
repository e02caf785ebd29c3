// A fault of the scheduler leaves a state that nobody can trust, so it is thrown away and folded anew. What the fault was about is set aside
// in all states that the engine makes from then on: the others go on.
import type { Step } from "../matching/step.ts";
import type { SchedulerEvent } from "./events.ts";

/** What is set aside, for people, and the run that was dealt with. */
export interface Blame {
  readonly setAside?: string;
  readonly run?: string;
}

export class Faults {
  /** Their runs stay where they are in the log, and are not placed. */
  readonly tasks = new Set<string>();
  /** Entries of the log that fail whenever they are folded: a function of the log does so on every engine. */
  readonly entries = new Set<number>();
  isHouseAside = false;
  /** The entry whose fold failed last. */
  #failedAt = 0;

  /** Sets aside what the fault was about, as far as that is known. An entry is given a second try. */
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
