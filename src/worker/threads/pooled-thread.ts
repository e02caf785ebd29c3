// A thread that executes one attempt at a time, as the worker sees it. Its end is noticed whether it is executing or idle.
import type { URL } from "node:url";
import { Worker as Thread } from "node:worker_threads";
import type { ErrorRecord } from "../../domain/error-record.ts";
import type { Log } from "../../domain/log.ts";
import { errorFrom, errorRecordOf } from "../../domain/thrown.ts";
import { atMost } from "../../runtime/at-most.ts";
import { deferred } from "../../runtime/deferred.ts";
import { interruptsThreads } from "../../runtime/process.ts";
import { threadEntry } from "../../runtime/thread-entry.ts";
import type { RunContext } from "../context.ts";
import { judge } from "../verdict.ts";
import type { FromThread, RunInThread, ThreadData, ThrownInThread, ToThread } from "./thread-messages.ts";

export interface ThreadHost {
  readonly log: Log;
  /** An unhandled error of this run, or of an unknown one. */
  readonly onUnhandled: (error: ErrorRecord, run: string | undefined) => void;
  /** Called once, when the thread ends or will not be used again. */
  readonly onGone: (thread: PooledThread) => void;
}

interface Call {
  readonly ctx: RunContext;
  readonly begins: () => void;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onAbort: () => void;
  timer?: ReturnType<typeof setTimeout>;
}

/** How long loading the modules and opening the worker may take, besides the task's own timeout. */
const prepareMs = 60_000;
/** A thread that has not noticed an abort by then is busy computing. */
const turnsWithinMs = 250;
/** How long code that was told to stop may go on. */
const graceMs = 5_000;
const closeWithinMs = 3_000;

export class PooledThread {
  readonly #thread: Thread;
  readonly #host: ThreadHost;
  readonly #gone = deferred<void>();
  #call: Call | undefined;
  #isUsable = true;

  constructor(entry: URL, modules: readonly string[], host: ThreadHost) {
    const workerData = JSON.stringify({ natchet: "task", modules } satisfies ThreadData);
    this.#thread = new Thread(threadEntry(entry), { workerData });
    this.#host = host;
    this.#thread.on("message", (message: FromThread) => this.#hear(message));
    this.#thread.on("error", (error) => this.#ended(`failed: ${errorRecordOf(error).message}`));
    this.#thread.on("exit", (code) => this.#ended(`ended with code ${code}`));
  }

  /** Whether it can execute another attempt. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Settles when the code has really ended, also after an abort. */
  execute(workerName: string, input: unknown, ctx: RunContext): Promise<unknown> {
    if (ctx.signal.aborted) return Promise.reject(ctx.signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#abort(ctx.signal.reason);
      this.#call = { ctx, begins: ctx.prepares(prepareMs), resolve, reject, onAbort };
      this.#send(runOf(workerName, input, ctx));
      ctx.signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Lets an idle thread close what it opened; resolves when it is gone, or after a while. */
  async close(): Promise<void> {
    this.#retire();
    this.#send({ kind: this.#call === undefined ? "close" : "stop" });
    await atMost(closeWithinMs, this.#gone.promise);
    void this.#thread.terminate();
  }

  /** An idle thread does not keep the process from ending. */
  unref(): void {
    this.#thread.unref();
  }

  #hear(message: FromThread): void {
    const call = this.#call;
    if (message.kind === "unhandled") this.#host.onUnhandled(message.error, message.run);
    else if (message.kind === "log" && message.late !== undefined)
      this.#host.log[message.level](message.message, { run: message.late, ...message.fields });
    else if (call !== undefined) this.#answer(call, message);
  }

  #answer(call: Call, message: FromThread): void {
    const { ctx } = call;
    if (message.kind === "begun") call.begins();
    else if (message.kind === "output")
      this.#settle(() => call.resolve(message.output === undefined ? undefined : JSON.parse(message.output)));
    else if (message.kind === "error") this.#threw(call, message.error);
    else if (message.kind === "aborting") this.#endAfter(graceMs);
    else if (message.kind === "log") ctx.log[message.level](message.message, message.fields);
    else if (message.kind === "progress") ctx.progress(message.fraction, message.note);
    else if (message.kind === "extend") ctx.extendTimeout(message.ms);
    else if (message.kind === "letGo") ctx.releaseSlot();
    else if (message.kind === "chunk") this.#stream(ctx, message);
  }

  #threw(call: Call, { record, fields, isFinal, isBroken }: ThrownInThread): void {
    if (isBroken === true) this.#retire();
    const error = judge(Object.assign(errorFrom(record), fields), isFinal);
    this.#settle(() => call.reject(error));
    if (isBroken === true) void this.close();
  }

  #stream(ctx: RunContext, { n, chunk, isJson }: Extract<FromThread, { kind: "chunk" }>): void {
    const taken = (error?: unknown) =>
      this.#send({ kind: "taken", n, ...(error !== undefined && { error: errorRecordOf(error) }) });
    Promise.resolve()
      .then(() => ctx.stream(isJson ? JSON.parse(chunk as string) : chunk))
      .then(() => taken(), taken);
  }

  #abort(reason: unknown): void {
    this.#retire();
    this.#send({ kind: "abort", reason: errorRecordOf(reason) });
    this.#endAfter(turnsWithinMs);
  }

  #endAfter(ms: number): void {
    const call = this.#call!;
    clearTimeout(call.timer);
    call.timer = setTimeout(() => this.#end(), ms);
  }

  /** Code that the runtime cannot interrupt ends when it lets the event loop turn, and keeps its slot until then. */
  #end(): void {
    this.#send({ kind: "stop" });
    if (interruptsThreads()) void this.#thread.terminate().then(() => this.#ended("was ended"));
  }

  #ended(how: string): void {
    this.#retire();
    this.#gone.resolve();
    const call = this.#call;
    if (call === undefined) return;
    const { signal } = call.ctx;
    this.#settle(() => call.reject(signal.aborted ? signal.reason : new Error(`the thread of the task ${how}`)));
  }

  #settle(settle: () => void): void {
    const { ctx, onAbort, timer } = this.#call!;
    clearTimeout(timer);
    ctx.signal.removeEventListener("abort", onAbort);
    this.#call = undefined;
    settle();
  }

  #retire(): void {
    if (!this.#isUsable) return;
    this.#isUsable = false;
    this.#host.onGone(this);
  }

  #send(message: ToThread): void {
    this.#thread.postMessage(message);
  }
}

const runOf = (workerName: string, input: unknown, ctx: RunContext): RunInThread => ({
  kind: "run",
  workerName,
  task: ctx.task,
  input: JSON.stringify(input),
  context: {
    runId: ctx.runId,
    worker: ctx.worker,
    number: ctx.attempt,
    history: ctx.history,
    metadata: ctx.metadata,
    failedRun: ctx.failedRun,
  },
});
