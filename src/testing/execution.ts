// One run of an inline worker from its creation to its end: the worker's own attempts, and a clock in the place of the engine.
import { NotReschedulable } from "../domain/errors.ts";
import { type AttemptRecord, type Cancellation, isFinal, keyOf, type RunInfo, type RunState } from "../domain/run.ts";
import type { LogLine, Progress, StreamChunk } from "../domain/transcript.ts";
import type { WorkerTask } from "../domain/worker.ts";
import type { Assignment } from "../wire/assignment.ts";
import { jsonBytes, jsonOf, noBytes } from "../wire/bytes.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry, type Outcome } from "../wire/outcome-entry.ts";
import type { AttemptDetail, FinalDetail } from "../wire/story.ts";
import { Attempt } from "../worker/attempt.ts";
import { Batch } from "../worker/batch.ts";
import type { Deadlines } from "../worker/deadline.ts";
import { outcomeOf } from "../worker/outcome.ts";
import type { Verdict } from "../worker/verdict.ts";
import type { Clock } from "./clock.ts";
import { emptyTranscript, inlineVoice } from "./inline-voice.ts";

/** A run that was executed inline. */
export interface InlineRun extends RunInfo {
  /** All lines of `ctx.log`. */
  readonly logs: readonly LogLine[];
  /** All chunks of `ctx.stream`, as a reader gets them. */
  readonly chunks: readonly StreamChunk[];
  /** The newest `ctx.progress`. */
  readonly progress: Progress | undefined;
}

/** What is executed, and by which clocks. */
export interface ExecutionParts {
  readonly task: WorkerTask;
  readonly id: string;
  readonly input: Uint8Array;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

const maxPayload = 1_048_576;
const graceMs = 5_000;

export class InlineExecution {
  /** Resolves with the whole story when the run has ended, however it did. */
  readonly ended: Promise<InlineRun>;
  readonly #parts: ExecutionParts;
  readonly #createdAt: number;
  readonly #transcript = emptyTranscript();
  readonly #history: AttemptRecord[] = [];
  #tellEnded!: (run: InlineRun) => void;
  #state: RunState = "queued";
  #dueAt = 0;
  #turn = 0;
  #number = 1;
  #startedAt = 0;
  /** The attempt that runs now. */
  #attempt: Attempt | undefined;
  #executing: Promise<void> | undefined;
  /** It may come while the attempt is stopped for another reason, and holds then for the time after it. */
  #cancelReason: string | undefined;
  #callOff = () => {};
  #end: Partial<RunInfo> = {};

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
    this.#createdAt = parts.clock.now();
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
  }

  get key(): string {
    return keyOf(this.#parts.task.name, this.#parts.id);
  }

  get info(): InlineRun {
    const { task, id, priority, metadata = {}, input } = this.#parts;
    const isWaiting = this.#state === "scheduled" || this.#state === "retrying";
    return {
      ...{
        task: task.name,
        id,
        state: this.#state,
        attempt: this.#number,
        priority,
        createdAt: this.#createdAt,
        metadata,
      },
      ...(isWaiting && { dueAt: this.#dueAt }),
      ...(this.#startedAt > 0 && { startedAt: this.#startedAt, worker: "inline" }),
      attempts: [...this.#history],
      input: jsonOf(input),
      ...this.#end,
      logs: [...this.#transcript.logs],
      chunks: [...this.#transcript.chunks],
      progress: this.#transcript.progress,
    };
  }

  /** Resolves when the attempt that was told to stop has its verdict; undefined when there is none. */
  get stopping(): Promise<void> | undefined {
    return this.#attempt?.signal.aborted ? this.#executing : undefined;
  }

  /** Executes it at this time, or at once. Units: epoch milliseconds */
  waitUntil(dueAt: number, state: "scheduled" | "retrying"): void {
    const { clock } = this.#parts;
    this.#callOff();
    this.#dueAt = dueAt;
    this.#state = dueAt > clock.now() ? state : "queued";
    this.#callOff = clock.at(dueAt, () => {
      this.#executing = this.#execute();
      return this.#executing;
    });
  }

  /** Fails: NotReschedulable when it runs or has ended */
  reschedule(dueAt: number): void {
    if (this.#attempt !== undefined) throw new NotReschedulable({ key: this.key, state: "running" });
    if (isOver(this.#state)) throw new NotReschedulable({ key: this.key, state: "finished" });
    this.waitUntil(dueAt, "scheduled");
  }

  cancel(reason: string): Cancellation {
    if (isOver(this.#state)) return "finished";
    this.#cancelReason ??= reason;
    if (this.#attempt !== undefined) {
      this.#attempt.stop({ kind: "cancelled", reason });
      return "stopping";
    }
    this.#callOff();
    this.#finish("cancelled", { reason });
    return "cancelled";
  }

  async #execute(): Promise<void> {
    this.#state = "running";
    this.#turn += 1;
    this.#startedAt = this.#parts.clock.now();
    const outcome = await this.#attemptOnce();
    this.#attempt = undefined;
    if (isFinal(outcome.kind)) return this.#finish(outcome.kind as RunState, endOf(outcome));
    if (outcome.kind === "retry") {
      this.#number += 1;
      this.#history.push((outcome.detail as AttemptDetail).attempt);
    }
    if (this.#cancelReason !== undefined) return this.#finish("cancelled", { reason: this.#cancelReason });
    this.waitUntil(outcome.dueAt, outcome.kind === "retry" ? "retrying" : "scheduled");
  }

  #finish(state: RunState, end: Partial<RunInfo>): void {
    this.#state = state;
    this.#end = { finishedAt: this.#parts.clock.now(), ...end };
    this.#tellEnded(this.info);
  }

  #attemptOnce(): Promise<Outcome> {
    const { task, clock, deadlines } = this.#parts;
    const executed = task.policies?.batch === undefined ? task : new Batch(task).admit();
    return new Promise((resolve) => {
      const onVerdict = (ended: Attempt, verdict: Verdict) => {
        void ended.spoken?.end("completed");
        ended.startedAt = this.#startedAt; // by the clock of the run
        const { frame } = outcomeOf(ended, verdict, clock.now(), { worker: "inline", maxPayload, random: Math.random });
        resolve(decodeOutcomeEntry(encodeOutcomeEntry("worker", [frame])).outcomes[0]!);
      };
      const voiceFor = (speaking: Attempt) => inlineVoice(speaking, this.#transcript, () => clock.now());
      const host = { worker: "inline", graceMs, deadlines, voiceFor, onVerdict, nowAfter: () => clock.now() };
      this.#attempt = new Attempt(host, this.#assignment(), executed);
      this.#attempt.execute(() => {});
    });
  }

  #assignment(): Assignment {
    const { metadata, input, priority } = this.#parts;
    const extra = { ...(metadata && { metadata }), ...(this.#history.length > 0 && { history: this.#history }) };
    return {
      ...{
        key: this.key,
        priority,
        turn: this.#turn,
        attempt: this.#number,
        origin: 1,
        createdAt: this.#createdAt,
        waiter: "",
        follows: false,
        input,
      },
      extra: jsonBytes(extra),
    };
  }
}

const isOver = (state: RunState): boolean => state === "completed" || state === "failed" || state === "cancelled";

function endOf({ detail, at, output, attempt }: Outcome): Partial<RunInfo> {
  const { attempts, error, reason } = detail as FinalDetail;
  return {
    attempt,
    finishedAt: at,
    attempts,
    ...(output !== noBytes && { output: jsonOf(output) }),
    ...(error && { error }),
    ...(reason !== undefined && { reason }),
  };
}
