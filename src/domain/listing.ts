// What clients learn about runs, workers and queues.
import type { CancelCause, RunInfo, RunState, Waiting } from "./run.ts";

/**
 * Which runs: every field that is given must match; `metadata` must hold all given pairs.
 *
 * `reason` is found anywhere, as it is written, in why a run was cancelled (or is to be) or in the name and message of the error it failed
 * with, of which the first 200 characters are looked at: `"schedule timeout"`, `"cancel-newest"`, `"TimeoutError"`.
 */
export type RunFilter = {
  readonly task?: string | readonly string[];
  readonly state?: readonly RunState[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ids?: readonly string[];
  readonly reason?: string;
  /** Runs that have not begun, or that wait, for this: `"its code"`, `"its key"`, `"a signal"`, `"a worker"`. */
  readonly waitingFor?: Waiting["for"];
};

/** Runs that match, the newest first. */
export interface RunList {
  /** The newest first. */
  readonly runs: readonly RunInfo[];
  /** How many match in all. */
  readonly total: number;
  /** Pass it to `list` for the next page; absent on the last page. */
  readonly cursor?: string;
}

/** Keys of runs by what happened to them. */
export interface CancelReply {
  readonly cancelled: readonly string[];
  /** Executing: their workers were told, and the stored outcome decides. */
  readonly stopping: readonly string[];
  readonly unknown: readonly string[];
  readonly finished: readonly string[];
  /** More runs may match: ask again with this cursor. */
  readonly next?: string;
}

/** A worker as the engine knows it. Times are epoch milliseconds, UTC. */
export interface WorkerInfo {
  /** New with every start of a process. */
  readonly id: string;
  /** For display; several workers may have the same. */
  readonly name: string;
  /** `ready` takes runs; `quiet` drains; `blocked` is a loop that makes no progress; `silent` and `gone` are no longer heard. */
  readonly state: "ready" | "paused" | "quiet" | "blocked" | "silent" | "gone";
  /** Attempts that may run at the same time. */
  readonly slots: number;
  /** Taken slots. */
  readonly busy: number;
  /** The largest delay of its event loop between two heartbeats. Units: milliseconds */
  readonly lagMs: number;
  /** Names of its tasks. */
  readonly tasks: readonly string[];
  /** For tasks with `affinity`. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** For example `bun 1.4.5`. */
  readonly runtime: string;
  /** Version of natchet. */
  readonly version: string;
  /** When it registered with this engine. */
  readonly registeredAt: number;
  /** When it was last heard from. */
  readonly lastHeartbeatAt: number;
}

/** The queue of a task. */
export interface QueueInfo {
  /** Name of the task. */
  readonly task: string;
  /** Whether its runs wait until it is resumed. */
  readonly paused: boolean;
  /** Runs waiting for a slot. */
  readonly queued: number;
  /** Executing runs. */
  readonly running: number;
  /** Runs that are due later. */
  readonly scheduled: number;
  /** Runs waiting for their next attempt. */
  readonly retrying: number;
  /** Durable runs waiting for something outside. */
  readonly waiting: number;
  /** Workers that have the task. */
  readonly workers: number;
}

/** Cancelled runs of a task, by who cancelled them. */
export interface Cancellations {
  readonly task: string;
  readonly runs: Readonly<Record<CancelCause, number>>;
}
