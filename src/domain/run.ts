// The words and the state table of a run; docs/internals/lifecycle.md draws it and a test compares the two.
import type { RunTerms } from "./policies.ts";

export type RunState = "scheduled" | "queued" | "running" | "retrying" | "completed" | "failed" | "cancelled";
export type OutcomeKind =
  | "completed"
  | "failed"
  | "cancelled"
  | "retry"
  | "returned"
  | "lost"
  | "retention"
  /** Somebody wants the run to end, and it may be executing: whoever leads sees to it. */
  | "cancelling";

/**
 * What a cancellation did: the run has ended as `cancelled`; or it is executing, and is stored and told to stop, so that it ends as cancelled
 * unless it ends by itself first; or it had ended before.
 */
export type Cancellation = "cancelled" | "stopping" | "finished";

/** From each state, the states that may follow. */
export const transitions: Readonly<Record<RunState, readonly RunState[]>> = {
  scheduled: ["queued", "cancelled"],
  queued: ["running", "scheduled", "retrying", "cancelled", "completed", "failed"],
  running: ["completed", "failed", "retrying", "queued", "scheduled", "cancelled"],
  retrying: ["queued", "cancelled", "completed"],
  completed: [],
  failed: [],
  cancelled: [],
};

/** Whether an outcome of this kind ends the run for good. */
export const isFinal = (kind: OutcomeKind): kind is "completed" | "failed" | "cancelled" =>
  kind === "completed" || kind === "failed" || kind === "cancelled";

/** Whether an outcome ends its run whatever its turn: what is done is done, and an engine cancels because somebody said so. */
export const isConclusive = (kind: OutcomeKind, isByEngine: boolean): boolean =>
  kind === "completed" || (kind === "cancelled" && isByEngine);

export interface RunKey {
  readonly task: string;
  readonly id: string;
}
/** `send-email/order-42`; a task name holds no `/`, so the first one separates. */
export const keyOf = (task: string, id: string): string => [task, id].join("/"); // a template would be kept as a rope, twice as large
export const taskOf = (key: string): string => key.slice(0, key.indexOf("/"));
export function splitKey(key: string): RunKey {
  const slash = key.indexOf("/");
  return { task: key.slice(0, slash), id: key.slice(slash + 1) };
}

/** What of an error travels and is stored. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly retryable?: boolean;
  /** What its `cause` was, in bounds. */
  readonly cause?: ErrorRecord;
  /** Those inside an AggregateError, the first of them. */
  readonly errors?: readonly ErrorRecord[];
}

/** One try at a run, as its history keeps it. Units: epoch milliseconds, UTC */
export interface AttemptRecord {
  readonly attempt: number;
  readonly turn: number;
  readonly worker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: OutcomeKind;
  readonly error?: ErrorRecord;
}

/** Why a run is not running. */
export interface Waiting {
  readonly for:
    | "its due time"
    | "a slot"
    | "a worker"
    | "resume"
    | "a concurrency limit"
    | "a rate limit"
    | "its batch";
  /** For people. */
  readonly because: string;
  /** Its place in the queue of its task, the first is 1; absent while it is not in the queue. */
  readonly position?: number;
}

/** A run as queries answer it. Units: epoch milliseconds, UTC */
export interface RunInfo {
  readonly task: string;
  readonly id: string;
  readonly state: RunState;
  readonly attempt: number;
  readonly priority: number;
  readonly createdAt: number;
  readonly dueAt?: number;
  /** Told by `status()` of a run that is not running. */
  readonly waiting?: Waiting;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly worker?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of a run that has ended: what its caller said about it beside priority and metadata. */
  readonly terms?: RunTerms;
  /** Without stacks, and then only the latest ones, where all of them do not fit a message. */
  readonly attempts: readonly AttemptRecord[];
  readonly input?: unknown;
  /** It had an input that is not kept: there was no room for it beside the output, or its entry was removed. */
  readonly inputIsGone?: boolean;
  readonly output?: unknown;
  readonly error?: ErrorRecord;
  readonly reason?: string;
  /** Tells the run from an earlier one of the same id: the place of its first entry in the log. */
  readonly origin?: number;
}

/** Which attempt of which run. */
export interface Turn {
  readonly origin: number;
  readonly turn: number;
}

/** Who wanted a run to be cancelled: a caller, the strategy of a limit, or its time in the queue. */
export type CancelCause = "caller" | "limit" | "schedule timeout";
