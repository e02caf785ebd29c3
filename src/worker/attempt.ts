// One try at a run: input checked, user code called, deadline and cancellation watched, and in the end exactly one verdict.
import { Effect } from "effect";
import { formatDuration } from "../domain/duration.ts";
import { InvalidData, NonRetryableError } from "../domain/errors.ts";
import { type AttemptRecord, splitKey } from "../domain/run.ts";
import { type Validation, validate } from "../domain/schema.ts";
import type { TaskLog, WorkerTask } from "../domain/worker.ts";
import { type Assignment, assignmentExtraOf } from "../protocol/assignment.ts";
import { jsonOf } from "../protocol/bytes.ts";
import { RunContext, within } from "./context.ts";

/** Why an attempt is stopped from outside. */
export type StopCause =
  | { readonly kind: "cancelled"; readonly reason: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "returned" };

/** How an attempt ended: user code's own end, or the stop that came first. */
export type Verdict =
  | { readonly kind: "completed"; readonly output: unknown }
  | { readonly kind: "failed"; readonly error: unknown; readonly isFinal: boolean }
  | { readonly kind: "cancelled"; readonly reason: string }
  | { readonly kind: "returned" };

export interface AttemptParts {
  readonly assignment: Assignment;
  readonly task: WorkerTask;
  readonly graceMs: number;
  readonly logFor: (key: string) => TaskLog;
  /** Called once, as soon as the verdict stands; user code may still run then. */
  readonly onVerdict: (attempt: Attempt, verdict: Verdict) => void;
}

export class Attempt {
  readonly assignment: Assignment;
  readonly task: WorkerTask;
  readonly history: readonly AttemptRecord[];
  readonly metadata: Readonly<Record<string, string>> | undefined;
  startedAt = 0;
  readonly #parts: AttemptParts;
  readonly #controller = new AbortController();
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #deadlineAt = 0;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #stop: StopCause | undefined;
  #hasVerdict = false;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.assignment = parts.assignment;
    this.task = parts.task;
    const extra = assignmentExtraOf(parts.assignment);
    this.history = extra?.history ?? [];
    this.metadata = extra?.metadata;
  }

  /** Ends when user code has really ended; interrupting it stops the attempt and waits no longer than the grace. */
  readonly run: Effect.Effect<void> = Effect.callback<void>((resume) => {
    const ended = () => resume(Effect.void);
    this.#execute().then(ended, ended);
    return Effect.suspend(() => {
      this.stop({ kind: "returned" });
      return Effect.void;
    });
  });

  /** Aborts the signal now; after the grace the verdict is given whether user code has ended or not. */
  stop(cause: StopCause): void {
    if (this.#hasVerdict || this.#stop !== undefined) return;
    this.#stop = cause;
    clearTimeout(this.#deadline);
    this.#grace = setTimeout(() => this.#give(this.#stoppedVerdict(cause)), this.#parts.graceMs);
    this.#controller.abort(stopError(cause, this.task));
  }

  async #execute(): Promise<void> {
    this.startedAt = Date.now();
    try {
      const checked = await this.#check("input", jsonOf(this.assignment.input));
      if (checked.isRefused) return;
      if (this.#giveIfStopped()) return; // before user code began
      this.#armDeadline(this.task.timeoutMs);
      const returned = within(this.#context(checked.value), () => this.task.handler(checked.value, this.#ctx!));
      const output = await (Effect.isEffect(returned)
        ? this.#runEffect(returned as Effect.Effect<unknown, unknown>)
        : returned);
      // Work that was done in spite of a shutdown is done; after a cancellation or a timeout it is too late.
      if (this.#stop?.kind !== "returned" && this.#giveIfStopped()) return;
      const result = await this.#check("output", output);
      if (!result.isRefused) this.#give({ kind: "completed", output });
    } catch (error) {
      if (!this.#giveIfStopped()) this.#give({ kind: "failed", error, isFinal: this.#isFinal(error) });
    } finally {
      clearTimeout(this.#deadline);
      clearTimeout(this.#grace);
    }
  }

  #runEffect(effect: Effect.Effect<unknown, unknown>): Promise<unknown> {
    return Effect.runPromise(effect, { signal: this.#controller.signal });
  }

  async #check(
    what: "input" | "output",
    value: unknown,
  ): Promise<{ readonly isRefused: boolean; readonly value: unknown }> {
    const schema = what === "input" ? this.task.input : this.task.output;
    if (schema === undefined) return { isRefused: false, value };
    const validation: Validation = await validate(schema, value);
    if (!("issues" in validation)) return { isRefused: false, value: validation.value };
    const error = new InvalidData({ what, task: this.task.name, issues: validation.issues });
    this.#give({ kind: "failed", error, isFinal: true });
    return { isRefused: true, value };
  }

  #isFinal(error: unknown): boolean {
    if (error instanceof NonRetryableError || (error as { name?: unknown } | null)?.name === "NonRetryableError")
      return true;
    const { retryIf } = this.task.retry;
    return retryIf !== undefined && !retryIf(error);
  }

  #stoppedVerdict(cause: StopCause): Verdict {
    if (cause.kind === "timeout") return { kind: "failed", error: stopError(cause, this.task), isFinal: false };
    return cause.kind === "cancelled" ? { kind: "cancelled", reason: cause.reason } : { kind: "returned" };
  }

  #giveIfStopped(): boolean {
    if (this.#stop === undefined) return false;
    this.#give(this.#stoppedVerdict(this.#stop));
    return true;
  }

  #give(verdict: Verdict): void {
    if (this.#hasVerdict) return;
    this.#hasVerdict = true;
    this.#parts.onVerdict(this, verdict);
  }

  #armDeadline(ms: number): void {
    this.#deadlineAt = Date.now() + ms;
    this.#deadline = setTimeout(() => this.stop({ kind: "timeout" }), Math.min(ms, 2 ** 31 - 1));
  }

  #extend(ms: number): void {
    if (this.#stop !== undefined || this.#hasVerdict) return;
    clearTimeout(this.#deadline);
    this.#armDeadline(Math.max(0, this.#deadlineAt - Date.now()) + ms);
  }

  #ctx: RunContext | undefined;

  #context(input: unknown): RunContext {
    const { task, id } = splitKey(this.assignment.key);
    const log = this.#parts.logFor(this.assignment.key);
    this.#ctx = new RunContext({
      input,
      task,
      runId: id,
      attempt: this.assignment.attempt,
      history: this.history,
      metadata: this.metadata ?? {},
      signal: this.#controller.signal,
      log,
      extend: (ms) => this.#extend(ms),
      onProgress: (fraction, note) => log.info(note ?? "progress", { progress: fraction }),
    });
    return this.#ctx;
  }
}

function stopError(cause: StopCause, task: WorkerTask): Error {
  if (cause.kind === "timeout") {
    const error = new Error(`task "${task.name}" took longer than its timeout of ${formatDuration(task.timeoutMs)}`);
    error.name = "TimeoutError";
    return error;
  }
  const error = new Error(
    cause.kind === "cancelled"
      ? `the run was cancelled: ${cause.reason}`
      : "the worker shuts down and gives the run back",
  );
  error.name = "AbortError";
  return error;
}
