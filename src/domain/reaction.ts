/** A run that finally failed; its outcome is at `index` in the entry `seq`. */
export interface FailureCause {
  readonly type: "failure";
  readonly key: string;
  readonly seq: number;
  readonly index: number;
}

/** A tick of a schedule. Units: `at` epoch milliseconds */
export interface TickCause {
  readonly type: "tick";
  readonly cron: string;
  readonly at: number;
  readonly input: unknown;
}

/** A run that a leader creates because of the log or the clock. Its id follows from its cause, so that there is one however often it is created. */
export interface Reaction {
  readonly task: string;
  readonly id: string;
  readonly cause: FailureCause | TickCause;
}
