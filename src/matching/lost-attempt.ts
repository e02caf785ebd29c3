import type { LiveRun } from "../fold/live-run.ts";
import type { Counting } from "./workers.ts";

/** An attempt that is lost, and may still be executed by a worker that is cut off. */
export interface Lingering {
  /** Undefined where it had been given up before. */
  readonly run: LiveRun | undefined;
  readonly task: string;
  readonly origin: number;
  readonly turn: number;
  /** What counts it; undefined where its task has no such limits any more. */
  lane: Counting | undefined;
  /** On the scheduler's own clock. */
  readonly until: number;
  /** Messages of its worker that do not name it before it counts no more: where it may have been accepted, the first may be older than that. */
  beatsLeft: number;
}

/** A worker that a leader before this one knew, and that has not said yet what it executes. */
export interface Unheard {
  /** Until then it has stopped what counts for a key, wherever it is. On the scheduler's own clock. */
  readonly until: number;
  /** Tasks with concurrency limits that it has; undefined = any may be among them. */
  readonly keyed: readonly string[] | undefined;
  readonly process: string | undefined;
}
