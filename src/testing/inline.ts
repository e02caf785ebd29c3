// Runs the tasks of a worker in this process, without NATS and without waiting between attempts: the same validation, retries,
// timeouts and context as a worker, because it is the worker's own code.
import { Effect } from "effect";
import { scan, type WorkerSource } from "../../decorators/scan.ts";
import { RunCancelled, RunFailed } from "../domain/errors.ts";
import { type AttemptRecord, isFinal, keyOf, type RunInfo, type RunState } from "../domain/run.ts";
import { makeRunIdGenerator } from "../domain/run-id.ts";
import type { LogLine, Progress, StreamChunk } from "../domain/transcript.ts";
import { defineWorker, type WorkerDefinition, type WorkerTask } from "../domain/worker.ts";
import { jsonBytes, jsonOf, noBytes } from "../protocol/bytes.ts";
import {
  type AttemptDetail,
  decodeOutcomeEntry,
  encodeOutcomeEntry,
  type FinalDetail,
  type Outcome,
} from "../protocol/outcome-entry.ts";
import { Attempt, type Verdict } from "../worker/attempt.ts";
import { Batch } from "../worker/batch.ts";
import { Deadlines } from "../worker/deadline.ts";
import { outcomeOf } from "../worker/outcome.ts";
import { emptyTranscript, type InlineTranscript, inlineVoice } from "./inline-voice.ts";

export interface InlineOptions {
  readonly id?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels the run when it is aborted. */
  readonly signal?: AbortSignal;
}

/** A worker whose tasks are called directly. */
export interface InlineWorker {
  /** The output as JSON brings it back. Fails: RunFailed, RunCancelled */
  run(task: string, input?: unknown, options?: InlineOptions): Promise<unknown>;
  /** The whole story of a run, whatever its end, with what it said. */
  execute(task: string, input?: unknown, options?: InlineOptions): Promise<InlineRun>;
}

/** A run that was executed inline. */
export interface InlineRun extends RunInfo {
  /** All lines of `ctx.log`. */
  readonly logs: readonly LogLine[];
  /** All chunks of `ctx.stream`, as a reader gets them. */
  readonly chunks: readonly StreamChunk[];
  /** The newest `ctx.progress`. */
  readonly progress: Progress | undefined;
}

/**
 * Makes a worker that runs its tasks inline, for tests.
 *
 * Fails: TypeError for what is no worker, or for a task that it does not have
 * @example assert.deepEqual(await inline(HelloWorker).run("hello", { name: "Ada" }), { greeting: "Hello, Ada!" })
 */
export function inline(worker: WorkerSource | WorkerDefinition): InlineWorker {
  const definition = "tasks" in worker && "slots" in worker ? defineWorker(worker as WorkerDefinition) : scan(worker);
  const tasks = new Map(definition.tasks.map((task) => [task.name, task]));
  const nextId = makeRunIdGenerator();
  const execute = async (name: string, input?: unknown, options: InlineOptions = {}) => {
    const task = tasks.get(name);
    if (task === undefined)
      throw new TypeError(`worker "${definition.name}" has no task "${name}"; it has ${[...tasks.keys()].join(", ")}`);
    return executeRun(task, options.id ?? nextId(), jsonBytes(input), options);
  };
  const run = async (name: string, input?: unknown, options?: InlineOptions) => {
    const info = await execute(name, input, options);
    const key = keyOf(info.task, info.id);
    if (info.state === "completed") return info.output;
    if (info.state === "cancelled") throw new RunCancelled({ key, reason: info.reason ?? "cancelled" });
    throw new RunFailed({ key, error: info.error!, attempts: info.attempts });
  };
  return { run, execute };
}

async function executeRun(task: WorkerTask, id: string, input: Uint8Array, options: InlineOptions): Promise<InlineRun> {
  const createdAt = Date.now();
  const history: AttemptRecord[] = [];
  let attempt = 1;
  const transcript = emptyTranscript();
  for (let turn = 1; ; turn++) {
    const extra = jsonBytes({
      ...(options.metadata && { metadata: options.metadata }),
      ...(history.length > 0 && { history }),
    });
    const assignment = {
      key: keyOf(task.name, id),
      priority: task.priority,
      turn,
      attempt,
      origin: 1,
      createdAt,
      follows: false,
      extra,
      input,
    };
    const executed = task.policies?.batch === undefined ? task : new Batch(task).admit();
    const outcome = await attemptOnce(executed, assignment, transcript, options.signal);
    if (isFinal(outcome.kind)) return { ...infoOf(task.name, id, outcome, options), ...transcript };
    if (outcome.kind === "retry") {
      attempt += 1;
      history.push((outcome.detail as AttemptDetail).attempt);
    }
  }
}

function attemptOnce(
  task: WorkerTask,
  assignment: Attempt["assignment"],
  transcript: InlineTranscript,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const onVerdict = (ended: Attempt, verdict: Verdict) => {
      signal?.removeEventListener("abort", cancel);
      void ended.spoken?.end("completed");
      const { frame } = outcomeOf(ended, verdict, Date.now(), {
        worker: "inline",
        maxPayload: 1_048_576,
        random: Math.random,
      });
      resolve(decodeOutcomeEntry(encodeOutcomeEntry("worker", [frame])).outcomes[0]!);
    };
    const attempt = new Attempt({
      assignment,
      task,
      worker: "inline",
      graceMs: 5_000,
      deadlines: new Deadlines(),
      voiceFor: (speaking) => inlineVoice(speaking, transcript),
      onVerdict,
    });
    const cancel = () => attempt.stop({ kind: "cancelled", reason: String(signal?.reason ?? "cancelled by a caller") });
    signal?.addEventListener("abort", cancel, { once: true });
    Effect.runFork(attempt.run);
    if (signal?.aborted) cancel();
  });
}

function infoOf(task: string, id: string, outcome: Outcome, options: InlineOptions): RunInfo {
  const detail = outcome.detail as FinalDetail;
  return {
    task,
    id,
    state: outcome.kind as RunState,
    attempt: outcome.attempt,
    priority: detail.priority,
    createdAt: detail.createdAt,
    finishedAt: outcome.at,
    metadata: options.metadata ?? {},
    attempts: detail.attempts,
    input: jsonOf(outcome.input),
    ...(outcome.output !== noBytes && { output: jsonOf(outcome.output) }),
    ...(detail.error && { error: detail.error }),
    ...(detail.reason !== undefined && { reason: detail.reason }),
  };
}
