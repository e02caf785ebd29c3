// One attempt as its thread executes it: the same steps as in the main thread, reported by messages.

import type { ErrorRecord } from "../../domain/error-record.ts";
import { keyOf } from "../../domain/run.ts";
import { errorFrom, errorRecordOf, toText } from "../../domain/thrown.ts";
import type { LineLevel } from "../../domain/transcript.ts";
import type { WorkerTask } from "../../domain/worker.ts";
import { type Deferred, deferred } from "../../runtime/deferred.ts";
import { jsonOf } from "../../wire/bytes.ts";
import { accepted } from "../accepted.ts";
import { type ContextSource, RunContext, within } from "../context.ts";
import { outputOf } from "../output.ts";
import { fieldBytes } from "../transcripts/line.ts";
import { Speaker } from "../transcripts/speaker.ts";
import { chunkOf, quietRejection, type Voice } from "../transcripts/voice.ts";
import { failureOf, judge } from "../verdict.ts";
import type { FromThread, RunInThread, ThrownInThread } from "./thread-messages.ts";

export class ThreadAttempt extends Speaker implements ContextSource, Voice {
  readonly taskName: string;
  readonly runId: string;
  readonly worker: string;
  readonly number: number;
  readonly history: RunInThread["context"]["history"];
  readonly metadata: Readonly<Record<string, string>>;
  readonly #run: RunInThread;
  readonly #say: (message: FromThread) => void;
  readonly #controller = new AbortController();
  readonly #takers = new Map<number, Deferred<void>>();
  #chunks = 0;
  #isOver = false;

  constructor(run: RunInThread, say: (message: FromThread) => void) {
    super();
    const { runId, worker, number, history, metadata } = run.context;
    this.taskName = run.task;
    this.runId = runId;
    this.worker = worker;
    this.number = number;
    this.history = history;
    this.metadata = metadata;
    this.#run = run;
    this.#say = say;
  }

  get key(): string {
    return keyOf(this.taskName, this.runId);
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  get voice(): Voice {
    return this;
  }

  /** Never rejects; one message says how it ended. */
  async execute(taskOf: () => Promise<WorkerTask>): Promise<void> {
    let task: WorkerTask | undefined;
    try {
      task = await taskOf();
      this.#tell({ kind: "output", output: await this.#outputOf(task) });
    } catch (error) {
      this.#tell({ kind: "error", error: thrown(error, task) });
    }
  }

  abort(reason: ErrorRecord): void {
    this.#say({ kind: "aborting" });
    this.#controller.abort(errorFrom(reason));
  }

  taken(n: number, error: ErrorRecord | undefined): void {
    const taker = this.#takers.get(n);
    this.#takers.delete(n);
    if (error === undefined) taker?.resolve();
    else taker?.reject(errorFrom(error));
  }

  extendTimeout(ms: number): void {
    if (!this.#isOver) this.#say({ kind: "extend", ms });
  }
  releaseSlot(): void {
    if (!this.#isOver) this.#say({ kind: "letGo" });
  }
  progress(fraction: number, note: string | undefined): void {
    if (!this.#isOver) this.#say({ kind: "progress", fraction, note: note === undefined ? note : toText(note) });
  }
  stream(chunk: unknown): Promise<void> {
    const { form, body } = chunkOf(0, chunk);
    if (this.#isOver) return quietRejection(new Error(`ctx.stream of run ${this.key}: the attempt has ended`));
    const n = ++this.#chunks;
    const taken = deferred<void>();
    taken.promise.catch(() => {});
    this.#takers.set(n, taken);
    const isText = form !== 1;
    this.#say({ kind: "chunk", n, chunk: isText ? new TextDecoder().decode(body) : body, isJson: form === 2 });
    return taken.promise;
  }
  async end(): Promise<void> {}

  async #outputOf(task: WorkerTask): Promise<string | undefined> {
    const { input, context } = this.#run;
    const given = await accepted("input", task, input === undefined ? undefined : JSON.parse(input));
    const ctx = new RunContext(given, this, context.failedRun);
    this.#say({ kind: "begun" });
    const output = await within(ctx, () => outputOf(task.handler(given, ctx), this));
    await accepted("output", task, output);
    try {
      return JSON.stringify(output);
    } catch (cause) {
      const message = `the output of task "${this.taskName}" cannot be written as JSON: ${toText(cause)}`;
      throw judge(new TypeError(message), true);
    }
  }

  #tell(message: FromThread): void {
    this.#isOver = true;
    this.#say(message);
  }

  protected line(level: LineLevel, message: string, fields: Record<string, unknown> | undefined): void {
    const plain = jsonOf(fieldBytes(fields)) as Record<string, unknown> | undefined;
    const late = this.#isOver ? { late: this.key } : {};
    this.#say({ kind: "log", level, message: toText(message), fields: plain, ...late });
  }
}

/** Judged here, where `retryIf` sees the error itself. */
function thrown(error: unknown, task: WorkerTask | undefined): ThrownInThread {
  if (task === undefined) return { record: errorRecordOf(error), fields: {}, isFinal: false, isBroken: true };
  const verdict = failureOf(error, task);
  if (verdict.kind !== "failed") return { record: errorRecordOf(error), fields: fieldsOf(error), isFinal: false };
  return { record: errorRecordOf(verdict.error), fields: fieldsOf(error), isFinal: verdict.isFinal };
}

function fieldsOf(error: unknown): ThrownInThread["fields"] {
  try {
    const own = Object.entries(error as object).filter(([, value]) => /^(string|number|boolean)$/.test(typeof value));
    return Object.fromEntries(own.slice(0, 16).filter(([name]) => !/^(name|message|stack|cause)$/.test(name)));
  } catch {
    return {};
  }
}
