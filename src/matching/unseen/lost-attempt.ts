import type { LiveRun } from "../../fold/live-run.ts";
import type { Counting } from "../workers.ts";

/** A lost attempt that a cut-off worker may still be executing. */
export interface Lingering {
  /** Undefined where it had been given up before. */
  readonly run: LiveRun | undefined;
  readonly task: string;
  readonly origin: number;
  readonly turn: number;
  /** What counts it; undefined if its task no longer has such limits. */
  lane: Counting | undefined;
  /** On the scheduler's own clock. */
  readonly until: number;
  /** How many of its worker's messages must omit it before it stops counting: if it may have been accepted, the first may be older than that. */
  beatsLeft: number;
}

/** A worker known to an earlier leader that has not yet reported what it executes. */
export interface Unheard {
  /** Until then it has stopped what counts for a key, wherever it is. On the scheduler's own clock. */
  readonly until: number;
  /** Tasks with concurrency limits that it has; undefined = any may be among them. */
  readonly keyed: readonly string[] | undefined;
  readonly process: string | undefined;
}
