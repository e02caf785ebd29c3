import { EntryLog } from "./entry-log.ts";

/** What the log has about one task. Exists once the name has been seen. */
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
