// What is under way: purges and compactions that the engine has not answered yet.
import type { LoggedTask } from "../fold/logged-task.ts";

/** What the engine was asked to do to entries, and has not answered yet. */
export class Unanswered {
  /** Names of entries that are being moved to the tail. */
  readonly compactions = new Set<string>();
  /** Names of entries that are being purged one by one. */
  readonly purges = new Set<string>();
  /** Tasks whose first entries are being purged. */
  readonly tasks = new Set<LoggedTask>();
  /** When something was last requested, on the scheduler's clock; after a long silence it is requested again. */
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
