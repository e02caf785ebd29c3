// The words and the state table of a run; docs/internals/lifecycle.md draws it and a test compares the two.
import type { ErrorRecord } from "./error-record.ts";
import type { RunTerms } from "./policies.ts";

/** Where a run is in its life: `scheduled` (its time has not come) → `queued` → `running` → `completed`, `failed` or `cancelled`; `retrying` waits for its next attempt, `waiting` for something outside. */
export type RunState =
  | "scheduled"
  | "queued"
  | "running"
  | "retrying"
  | "waiting"
  | "completed"
  | "failed"
  | "cancelled";
export type OutcomeKind =
  | "completed"
  | "failed"
  | "cancelled"
  | "retry"
  | "returned"
  | "lost"
  | "retention"
  /** The run is to be cancelled and may be executing; whichever engine leads sees to it. */
  | "cancelling"
  /** A durable run waits for something, and its worker has let go of it. */
  | "parked"
  /** The run had ended and was erased: nothing is kept but that it existed. */
  | "erased";

/**
 * What a cancellation did: the run has ended as `cancelled`; or it is executing, and is stored and told to stop, so that it ends as cancelled
 * unless it ends by itself first; or it had ended before.
 */
export type Cancellation = "cancelled" | "stopping" | "finished";

/** From each state, the states that may follow. */
export const transitions: Readonly<Record<RunState, readonly RunState[]>> = {
  scheduled: ["queued", "cancelled"],
  queued: ["running", "scheduled", "retrying", "cancelled", "completed", "failed"],
  running: ["completed", "failed", "retrying", "queued", "scheduled", "waiting", "cancelled"],
  waiting: ["queued", "cancelled", "completed"],
  retrying: ["queued", "cancelled", "completed"],
  completed: [],
  failed: [],
  cancelled: [],
};

/** Whether an outcome of this kind ends the run for good. */
export const isFinal = (kind: OutcomeKind): kind is "completed" | "failed" | "cancelled" =>
  kind === "completed" || kind === "failed" || kind === "cancelled";

/** Whether an outcome ends its run whatever its turn: completed work counts, and an engine cancels only what somebody cancelled. */
export const isConclusive = (kind: OutcomeKind, isByEngine: boolean): boolean =>
  kind === "completed" || (kind === "cancelled" && isByEngine);

/** Whether only an engine may say it: what a worker writes of this kind does not exist. */
export const isOfEngine = (kind: OutcomeKind): kind is "lost" | "retention" | "cancelling" | "erased" =>
  kind === "lost" || kind === "retention" || kind === "cancelling" || kind === "erased";

/** Whether nothing follows. */
export const isFinished = (state: RunState): boolean => transitions[state].length === 0;

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

/** One try at a run, as its history keeps it. Units: epoch milliseconds, UTC */
export interface AttemptRecord {
  /** Counted from 1; a lost or returned attempt is tried again under the same number. */
  readonly attempt: number;
  /** Counts every end of an attempt, also of those that were lost. */
  readonly turn: number;
  /** Id of the worker that executed it. */
  readonly worker: string;
  /** 0 where it was lost before its code began. */
  readonly startedAt: number;
  /** When its outcome was stored. */
  readonly endedAt: number;
  /** How it ended: `completed`, `failed` and `cancelled` ended the run. */
  readonly outcome: OutcomeKind;
  /** What the attempt threw. */
  readonly error?: ErrorRecord;
}

/** What a run can wait for. */
export const waitingReasons = [
  ...(["its due time", "a slot", "a worker", "resume", "a concurrency limit", "a rate limit", "its batch"] as const),
  ...(["a moment", "a signal", "its children", "its siblings", "its code", "its key"] as const),
] as const;

/** Why a run is not running. */
export interface Waiting {
  /** What it waits for, in a word that programs can compare. */
  readonly for: (typeof waitingReasons)[number];
  /** The same for people, in a sentence. */
  readonly because: string;
  /** Its place in the queue of its task, the first is 1; absent while it is not in the queue. */
  readonly position?: number;
}

/** A run as queries answer it. Units: epoch milliseconds, UTC */
export interface RunInfo {
  /** Name of the task. */
  readonly task: string;
  /** Id of the run, unique within its task. */
  readonly id: string;
  /** Where it is in its life. */
  readonly state: RunState;
  /** Number of the current, next or last attempt, from 1. */
  readonly attempt: number;
  /** 1…9, higher first. */
  readonly priority: number;
  /** When it was created. */
  readonly createdAt: number;
  /** When it may start, or be tried again; absent if at once. */
  readonly dueAt?: number;
  /** Why the run is not running; only from `status()`. */
  readonly waiting?: Waiting;
  /** When the code of its last attempt began. */
  readonly startedAt?: number;
  /** When it ended. */
  readonly finishedAt?: number;
  /** Id of the worker that executes it, or did last. */
  readonly worker?: string;
  /** Texts that its caller gave, to find the run by. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The options of its caller besides priority and metadata; only of a finished run. */
  readonly terms?: RunTerms;
  /** Without stacks, and then only the latest ones, where all of them do not fit a message. */
  readonly attempts: readonly AttemptRecord[];
  /** What its caller sent; only from `status()`. */
  readonly input?: unknown;
  /** It had an input that is not kept: there was no room for it beside the output, or its entry was removed. */
  readonly inputIsGone?: boolean;
  /** What it returned; only from `status()`. */
  readonly output?: unknown;
  /** What the last attempt threw, if the run failed. */
  readonly error?: ErrorRecord;
  /** Why it was cancelled. */
  readonly reason?: string;
  /** Its input, output, error, metadata and log were erased: all that is left is that it existed. */
  readonly erased?: boolean;
  /** The place of its first entry in the log, which tells it from an earlier run with the same id. */
  readonly origin?: number;
}

/** Which attempt of which run. */
export interface Turn {
  readonly origin: number;
  readonly turn: number;
}

/** Why a run was cancelled: a caller, the strategy of a limit, its time in the queue, its deadline, or because nobody waits for it any more. */
export type CancelCause = "caller" | "limit" | "schedule timeout" | "deadline" | "parent";
