import { EntryLog } from "./entry-log.ts";

/** What the log holds of one task. Exists as soon as the name was seen once. */
export class LoggedTask {
  readonly name: string;
  readonly entries = new EntryLog();
  /** Live runs of the task. Written by the fold. */
  liveCount = 0;
  /** What a leader keeps for the task; matching owns it, and the fold never looks at it. */
  attached: object | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }
}
