// The context of a task: what its code gets besides the input.
import type { DurationInput } from "./duration.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { FailedRun } from "./failure.ts";

/** What a task gets besides its input. */
export interface TaskContext {
  /** The input as the handler got it. */
  readonly input: unknown;
  /** Name of the task. */
  readonly task: string;
  /** Id of the run, unique within its task. */
  readonly runId: string;
  /** Id of the worker that executes it. */
  readonly worker: string;
  /** Counted from 1; a lost or returned attempt does not count. */
  readonly attempt: number;
  /** The run that failed, in a handler under `@OnFailure`. */
  readonly failedRun?: FailedRun | undefined;
  /** What the earlier attempts of this run threw, oldest first; under `@OnFailure` those of the failed run. */
  readonly errors: readonly ErrorRecord[];
  /** Texts given by the caller of the run. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborted when the run is cancelled, its time is up or the worker gives it back. */
  readonly signal: AbortSignal;
  /** Moves the deadline of this attempt. */
  extendTimeout(by: DurationInput): void;
  /**
   * Frees the slot while this attempt goes on: for waiting, not for working. The run stays with its worker, can be cancelled and times out as
   * before, and starts again elsewhere if the worker dies.
   */
  releaseSlot(): void;
  /** Writes to the worker's log and to the store, up to 1,000 lines a run. */
  readonly log: TaskLog;
  /** How far the run is, 0 to 1. Only the latest value is kept. */
  progress(fraction: number, note?: string): void;
  /**
   * Hands a chunk to whoever reads the run, now or later: text, bytes, or a value that JSON can write.
   *
   * Resolves when there is room for more; await it, and a fast producer goes as fast as the store.
   *
   * Fails: TypeError (thrown at once) for another value; PayloadTooLarge (thrown at once) for one chunk that no message takes;
   * StreamTooFast when 4 MiB wait because nobody awaited; StoreUnavailable, PermissionDenied, QueueFull when the store refuses it
   * @example
   * ```ts
   * for await (const token of answer) await ctx.stream(token)
   * ```
   */
  stream(chunk: unknown): Promise<void>;
}

/** What a batch task gets besides its inputs. */
export interface BatchContext {
  /** The context of each run, in the order of the inputs. */
  readonly members: readonly TaskContext[];
  /** Aborted when all members are. */
  readonly signal: AbortSignal;
}

/** Logs lines of a run: its worker prints them, and they are stored with the run. */
export interface TaskLog {
  /** Details for debugging. */
  debug(message: string, fields?: Record<string, unknown>): void;
  /** Normal operation. */
  info(message: string, fields?: Record<string, unknown>): void;
  /** Something may need attention. */
  warn(message: string, fields?: Record<string, unknown>): void;
  /** Something failed. */
  error(message: string, fields?: Record<string, unknown>): void;
}
