// What user code sees of its run, and how code without the context finds it.
import { AsyncLocalStorage } from "node:async_hooks";
import type { TaskContext, TaskLog } from "../domain/context.ts";
import { type DurationInput, parseDuration } from "../domain/duration.ts";
import type { ErrorRecord } from "../domain/error-record.ts";
import type { FailedRun } from "../domain/failure.ts";
import type { Parent } from "../domain/policies.ts";
import { type AttemptRecord, keyOf } from "../domain/run.ts";
import { toText } from "../domain/thrown.ts";
import type { Voice } from "./transcripts/voice.ts";

/**
 * Shared by all copies of natchet in a process (two versions, or one source imported by two paths): whichever a task uses,
 * it finds its run, and what it enqueues becomes a child.
 */
const shared = Symbol.for("natchet.surrounding-run@1");
const holder = globalThis as { [shared]?: AsyncLocalStorage<TaskContext> };
holder[shared] ??= new AsyncLocalStorage();
const surrounding: AsyncLocalStorage<TaskContext> = holder[shared];

/**
 * Finds the context of the run around this call.
 *
 * Fails: Error outside a task
 */
export function currentRun(): TaskContext {
  const context = surrounding.getStore();
  if (context === undefined)
    throw new Error("currentRun() was called outside a task; call it from code that a @Task method runs");
  return context;
}

/** The context of the run around this call, if any. */
export const surroundingRun = (): TaskContext | undefined => surrounding.getStore();

/** The run around this call, as its children name it; undefined outside a task. */
export function currentParent(): Parent | undefined {
  const context = surrounding.getStore();
  if (context === undefined) return undefined;
  return { key: keyOf(context.task, context.runId), metadata: context.metadata, worker: context.worker };
}

/** Calls user code that belongs to several runs at once. */
export const outside = <T>(call: () => T): T => surrounding.exit(call);

/** Calls user code so that {@link currentRun} finds `context` in everything it calls, also after an await. */
export const within = <T>(context: TaskContext, call: () => T): T => surrounding.run(context, call);

/** The attempt as its context shows it; rarely used parts are created on first use. */
export interface ContextSource {
  readonly taskName: string;
  readonly runId: string;
  /** Id of the worker. */
  readonly worker: string;
  readonly number: number;
  readonly history: readonly AttemptRecord[];
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
  readonly voice: Voice;
  extendTimeout(ms: number): void;
  releaseSlot(): void;
  /** Called before the task's code starts; it starts when the returned function is called. The time until then, up to `mostMs`, does not count. */
  prepares?(mostMs: number): () => void;
}

const noMetadata: Readonly<Record<string, string>> = Object.freeze({});

export class RunContext implements TaskContext {
  readonly input: unknown;
  #source: ContextSource;
  readonly failedRun: FailedRun | undefined;

  constructor(input: unknown, source: ContextSource, failedRun?: FailedRun) {
    this.input = input;
    this.#source = source;
    this.failedRun = failedRun;
  }

  /** The same run with another input. */
  withInput(input: unknown): RunContext {
    return new RunContext(input, this.#source, this.failedRun);
  }

  /** From now on, the code of a durable run belongs to another attempt. */
  continueAs(source: ContextSource): void {
    this.#source = source;
  }

  get task(): string {
    return this.#source.taskName;
  }

  get runId(): string {
    return this.#source.runId;
  }

  get worker(): string {
    return this.#source.worker;
  }

  get attempt(): number {
    return this.#source.number;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#source.metadata ?? noMetadata;
  }

  get history(): readonly AttemptRecord[] {
    return this.#source.history;
  }

  /** See {@link ContextSource.prepares}. */
  prepares(mostMs: number): () => void {
    return this.#source.prepares?.(mostMs) ?? (() => {});
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get errors(): readonly ErrorRecord[] {
    return (this.failedRun?.attempts ?? this.#source.history).flatMap((attempt) =>
      attempt.error === undefined ? [] : [attempt.error],
    );
  }

  get log(): TaskLog {
    return this.#source.voice;
  }

  extendTimeout(by: DurationInput): void {
    this.#source.extendTimeout(parseDuration(by, "extendTimeout"));
  }

  releaseSlot(): void {
    this.#source.releaseSlot();
  }

  progress(fraction: number, note?: string): void {
    if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) {
      throw new RangeError(
        `progress: ${toText(fraction)} is not between 0 and 1, for example ctx.progress(0.4, "half of the pages")`,
      );
    }
    this.#source.voice.progress(fraction, note);
  }

  stream(chunk: unknown): Promise<void> {
    return this.#source.voice.stream(chunk);
  }
}
