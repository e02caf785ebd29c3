import type { AttemptRecord, ErrorRecord } from "./run.ts";

/** A run that finally failed, as its handler sees it. */
export interface FailedRun {
  readonly task: string;
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly error: ErrorRecord;
  readonly attempts: readonly AttemptRecord[];
}

/** What the run of a handler carries as its input. */
export interface FailurePayload {
  readonly input: unknown;
  readonly failed: FailedRun;
}

/** Which task handles the failures of another, and from which place in the log: those before were none of its business. */
export interface FailureHandler {
  readonly task: string;
  readonly handler: string;
  readonly from: number;
}
