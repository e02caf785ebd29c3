// Failures that somebody handles: which run failed, and the run that its handler gets.
import { hashOf } from "../collections/hash.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { AttemptRecord } from "./run.ts";
import { isRunId } from "./run-id.ts";

/** A run that finally failed, as its handler sees it. */
export interface FailedRun {
  readonly task: string;
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly error: ErrorRecord;
  readonly attempts: readonly AttemptRecord[];
}

/** The input of the run of a handler. */
export interface FailurePayload {
  readonly input: unknown;
  readonly failed: FailedRun;
}

/** Which task handles the failures of another, and from which place in the log on. */
export interface FailureHandler {
  readonly task: string;
  readonly handler: string;
  readonly from: number;
}

/** The id of the run that handles a failed run. Tasks may share a handler, so it names both; if that is too long, a hash replaces the id. */
export function handlerRunId(task: string, id: string): string {
  const whole = `${task}:${id}`;
  return isRunId(whole) ? whole : `${task}:${hex(hashOf(id))}${hex(hashOf([...id].reverse().join("")))}`;
}

const hex = (hash: number): string => (hash >>> 0).toString(16).padStart(8, "0");
