// A task as the log knows it, from the first entry with its name on.
import { EntryLog } from "./entry-log.ts";

export class LoggedTask {
  readonly name: string;
  readonly entries = new EntryLog();
  /** Live runs of the task. Written by the fold. */
  liveCount = 0;
  /** What a leader keeps for the task; owned by matching, never read by the fold. */
  attached: object | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }
}
