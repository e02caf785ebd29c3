// What user code sees of its run, and how code that was not handed the context finds it.
import { AsyncLocalStorage } from "node:async_hooks";
import { type DurationInput, parseDuration } from "../domain/duration.ts";
import type { AttemptRecord, ErrorRecord } from "../domain/run.ts";
import type { TaskContext, TaskLog } from "../domain/worker.ts";

const surrounding = new AsyncLocalStorage<TaskContext>();

/**
 * Finds the context of the run that surrounds this call.
 *
 * Fails: Error outside a task
 */
export function currentRun(): TaskContext {
  const context = surrounding.getStore();
  if (context === undefined)
    throw new Error("currentRun() was called outside a task; call it from code that a @Task method runs");
  return context;
}

/** Calls user code so that {@link currentRun} finds `context` in everything it calls, also after an await. */
export const within = <T>(context: TaskContext, call: () => T): T => surrounding.run(context, call);

export interface ContextParts {
  readonly input: unknown;
  readonly task: string;
  readonly runId: string;
  readonly attempt: number;
  readonly history: readonly AttemptRecord[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  readonly extend: (ms: number) => void;
  readonly onProgress: (fraction: number, note: string | undefined) => void;
}

export class RunContext implements TaskContext {
  readonly input: unknown;
  readonly task: string;
  readonly runId: string;
  readonly attempt: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly #parts: ContextParts;

  constructor(parts: ContextParts) {
    this.input = parts.input;
    this.task = parts.task;
    this.runId = parts.runId;
    this.attempt = parts.attempt;
    this.metadata = parts.metadata;
    this.signal = parts.signal;
    this.#parts = parts;
  }

  get errors(): readonly ErrorRecord[] {
    return this.#parts.history.flatMap((attempt) => (attempt.error === undefined ? [] : [attempt.error]));
  }

  get log(): TaskLog {
    return this.#parts.log;
  }

  extendTimeout(by: DurationInput): void {
    this.#parts.extend(parseDuration(by, "extendTimeout"));
  }

  progress(fraction: number, note?: string): void {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new RangeError(
        `progress: ${fraction} is not between 0 and 1, for example ctx.progress(0.4, "half of the pages")`,
      );
    }
    this.#parts.onProgress(fraction, note);
  }
}
