import type { DurationInput } from "./duration.ts";
import type { FailedRun } from "./failure.ts";
import { assertMiddleware, type ExecuteMiddleware } from "./middleware.ts";
import { assertName } from "./names.ts";
import type { ErrorRecord } from "./run.ts";
import type { TaskDefinition } from "./task.ts";

/** What a task is given beside its input. */
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
  /** Texts that the run's caller gave. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborted when the run is cancelled, its time is up or the worker gives it back. */
  readonly signal: AbortSignal;
  /** Moves the deadline of this attempt. */
  extendTimeout(by: DurationInput): void;
  /**
   * Gives the slot to other runs while this attempt goes on: for waiting, not for working. The run stays with its worker, is cancelled and timed
   * out as before, and begins again elsewhere if that dies.
   */
  releaseSlot(): void;
  /** To the console, and stored: the first 1,000 lines of a run. */
  readonly log: TaskLog;
  /** How far the run is, 0 to 1; the newest one is stored. */
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

/** What a batch task is given beside its inputs. */
export interface BatchContext {
  /** The context of each run, in the order of the inputs. */
  readonly members: readonly TaskContext[];
  /** Aborted when all members are. */
  readonly signal: AbortSignal;
}

/** Tells lines of a run: shown by its worker, and stored with the run. */
export interface TaskLog {
  /** What only a search for a fault needs. */
  debug(message: string, fields?: Record<string, unknown>): void;
  /** What happens in the ordinary course. */
  info(message: string, fields?: Record<string, unknown>): void;
  /** What may need somebody's attention. */
  warn(message: string, fields?: Record<string, unknown>): void;
  /** What failed. */
  error(message: string, fields?: Record<string, unknown>): void;
}

/** A value, a promise or an Effect of the output. */
export type Handler = (input: any, ctx: TaskContext) => unknown;

/** A task with the code that executes it. */
export interface WorkerTask extends TaskDefinition {
  /** Gets the checked input; returns the output, a promise or an Effect of it. */
  readonly handler: Handler;
}

/** Everything that is needed to run a worker; decorators make one, or it is written by hand. */
export interface WorkerDefinition {
  /** For display. */
  readonly name: string;
  /** Attempts that may run at the same time. */
  readonly slots: number;
  /** What the worker is, for tasks that ask for it. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** Its tasks, with their handlers. */
  readonly tasks: readonly WorkerTask[];
  /** Around the tasks of this worker, the first outermost. */
  readonly middleware?: readonly ExecuteMiddleware[] | undefined;
  /** Opens what its tasks need, before the first run; what it throws makes the start fail. */
  readonly onStart?: () => unknown;
  /** Closes what `onStart` opened by then, also when `onStart` itself or that of a worker beside it has failed. */
  readonly onStop?: () => unknown;
}

export const defaultSlots = 100;

export function assertSlots(value: unknown, where: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  throw new RangeError(
    `${where}: slots must be a whole number from 1 to 10000, not ${String(value)}; for example @Worker(5)`,
  );
}

export function assertLabels(labels: unknown, where: string): Readonly<Record<string, string | number>> {
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) {
    throw new TypeError(`${where}: labels must be an object, not ${String(labels)}; for example { region: "eu" }`);
  }
  for (const [key, value] of Object.entries(labels)) {
    if (typeof value === "string" || (typeof value === "number" && Number.isFinite(value))) continue;
    throw new TypeError(
      `${where}: label "${key}" must be a string or a number, not ${String(value)}; for example { region: "eu" }`,
    );
  }
  return { ...labels };
}

/** Checks a definition, also one that was written by hand; throws a TypeError or RangeError. */
export function defineWorker(worker: WorkerDefinition): WorkerDefinition {
  const where = `worker "${worker.name}"`;
  assertName("worker", worker.name, "worker");
  assertSlots(worker.slots, where);
  assertLabels(worker.labels, where);
  assertMiddleware(worker.middleware, where);
  if (worker.tasks.length === 0)
    throw new TypeError(`${where} has no task; decorate a method with @Task("send-email")`);
  const names = new Set<string>();
  for (const task of worker.tasks) {
    if (names.has(task.name)) throw new TypeError(`${where} has two tasks named "${task.name}"; rename one of them`);
    names.add(task.name);
    const { slots = 1 } = task.policies ?? {};
    if (slots > worker.slots)
      throw new RangeError(
        `${where}: a run of task "${task.name}" needs ${slots} slots, but the worker has ${worker.slots}; for example @Worker(${slots})`,
      );
  }
  return worker;
}
