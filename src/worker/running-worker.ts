// A running worker as others see it, and its options.
import type { ExecuteMiddleware } from "../domain/middleware.ts";
import type { KeepOptions } from "./durable/kept-frames.ts";

/** Units: milliseconds */
export interface WorkerSettings {
  /** A name for the process, shared by everything in it. @default the worker's id */
  readonly process?: string;
  /** How long a stop waits for running tasks. @default 30_000 */
  readonly shutdownTimeoutMs?: number;
  /** How long an aborted task may take to end before its verdict is given. @default 5_000 */
  readonly cancelGraceMs?: number;
  /** @default 4_000 */
  readonly heartbeatMs?: number;
  /** How many frames of parked runs are kept, and for how long. @default 1,000 and 10 minutes */
  readonly keptFrames?: KeepOptions;
  readonly runtime?: string;
  readonly version?: string;
  /** Wraps every task, outside the worker's and the task's own middleware. */
  readonly middleware?: readonly ExecuteMiddleware[];
}

export interface RunningWorker {
  readonly id: string;
  readonly name: string;
  /** Resolves when an engine knows this worker. */
  readonly registered: Promise<void>;
  /** Attempts whose code is running. */
  readonly busy: number;
  /**
   * Changes labels while the worker runs, `undefined` removes one; resolves when an engine knows it.
   *
   * Fails: TypeError for a value that is neither text nor number
   * @example
   * ```ts
   * await running.workers[0].label({ model: "llama-70b" })
   * ```
   */
  label(labels: Readonly<Record<string, string | number | undefined>>): Promise<void>;
  /** Attempts that may run at the same time. */
  readonly slots: number;
  /** Runs that it holds: executing, or ended and not stored yet. */
  readonly held: number;
  /** Why it cannot get a run now, apart from pauses; undefined if it can. */
  readonly obstacle: string | undefined;
}
