// What a client is told of runs, workers and queues.
import type { RunInfo, RunState } from "./run.ts";

/** Which runs: every field that is given must match; `metadata` must hold all given pairs. */
export type RunFilter = {
  readonly task?: string | readonly string[];
  readonly state?: readonly RunState[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ids?: readonly string[];
};

/** Runs that match, the newest first. */
export interface RunList {
  readonly runs: readonly RunInfo[];
  /** How many match in all. */
  readonly total: number;
  /** Give it to `list` for the runs that come next; absent when these are the last ones. */
  readonly cursor?: string;
}

/** Keys of runs by what became of them. */
export interface CancelReply {
  readonly cancelled: readonly string[];
  /** They execute; their workers were told, and the stored outcome decides. */
  readonly stopping: readonly string[];
  readonly unknown: readonly string[];
  readonly finished: readonly string[];
  /** More runs may match: ask again with this cursor. */
  readonly next?: string;
}

export interface WorkerInfo {
  readonly id: string;
  readonly name: string;
  readonly state: "ready" | "paused" | "quiet" | "blocked" | "silent" | "gone";
  readonly slots: number;
  readonly busy: number;
  /** How late its event loop was at most between two heartbeats. Units: milliseconds */
  readonly lagMs: number;
  readonly tasks: readonly string[];
  readonly labels: Readonly<Record<string, string | number>>;
  readonly runtime: string;
  readonly version: string;
  readonly registeredAt: number;
  readonly lastHeartbeatAt: number;
}

export interface QueueInfo {
  readonly task: string;
  readonly paused: boolean;
  readonly queued: number;
  readonly running: number;
  readonly scheduled: number;
  readonly retrying: number;
  readonly workers: number;
}
