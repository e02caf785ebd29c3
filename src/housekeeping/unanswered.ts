// What is under way: purges and compactions that the engine has not answered yet.
import type { LoggedTask } from "../fold/logged-task.ts";

export class Unanswered {
  /** The names of entries that are being moved to the tail. */
  readonly compactions = new Set<string>();
  /** The names of entries that are being purged one by one. */
  readonly purges = new Set<string>();
  /** Tasks whose first entries are being purged. */
  readonly tasks = new Set<LoggedTask>();
  /** When something was last asked for, on the scheduler's own clock. After a long silence it is asked for again. */
  askedAt = 0;

  get isEmpty(): boolean {
    return this.compactions.size === 0 && this.purges.size === 0 && this.tasks.size === 0;
  }
  clear(): void {
    this.compactions.clear();
    this.purges.clear();
    this.tasks.clear();
  }
}
