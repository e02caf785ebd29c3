// What may be executing unseen: lost attempts, and workers that a new leader has not heard from.
import type { LiveRun } from "../../fold/live-run.ts";
import type { Counting } from "../workers.ts";

/** A lost attempt that a worker may still be executing. */
export interface Lingering {
  /** Undefined if the attempt was no longer current when it was lost. */
  readonly run: LiveRun | undefined;
  readonly task: string;
  readonly origin: number;
  readonly turn: number;
  /** What counts it; undefined if its task has no concurrency limits any more. */
  lane: Counting | undefined;
  /** When it must have stopped, on the scheduler's own clock. */
  readonly until: number;
  /** How many messages of the worker must omit it before it stops counting. Two if the worker had not acknowledged it: the first may be older than that. */
  beatsLeft: number;
}

/** A worker that an earlier leader knew, and that has not told this one yet what it executes. */
export interface Unheard {
  /** When everything that counts under a concurrency limit must have stopped there, on the scheduler's own clock. */
  readonly until: number;
  /** Its tasks with concurrency limits; undefined if that is not known, so that it may have any. */
  readonly keyed: readonly string[] | undefined;
  readonly process: string | undefined;
}
