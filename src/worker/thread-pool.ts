// Threads that execute tasks under `thread`: one attempt at a time each, kept for the next one. A cancelled or timed-out attempt takes its thread
// with it: nothing else ends code that computes.
import type { URL } from "node:url";
import { Worker as Thread } from "node:worker_threads";
import type { Log } from "../domain/log.ts";
import type { TaskContext, WorkerTask } from "../domain/worker.ts";
import type { FromThread, RunInThread, ThreadData, ThrownInThread, ToThread } from "./thread-messages.ts";

export interface ThreadPoolParts {
  /** The program of a thread. */
  readonly entry: URL;
  /** Where tasks are whose `thread` names no module. */
  readonly modules: readonly string[];
  readonly log: Log;
}

const idleMs = 60_000;

interface Idle {
  readonly thread: Thread;
  readonly expiry: ReturnType<typeof setTimeout>;
}

export class ThreadPool {
  readonly #parts: ThreadPoolParts;
  readonly #idle = new Map<string, Idle[]>();
  readonly #all = new Set<Thread>();
  #isClosed = false;

  constructor(parts: ThreadPoolParts) {
    this.#parts = parts;
  }

  /** The task as it is executed here: in a thread, if it asks for one. */
  taskOf(worker: string, task: WorkerTask): WorkerTask {
    const { thread } = task;
    if (thread === undefined) return task;
    const modules = thread === true ? this.#parts.modules : [thread];
    return { ...task, handler: (input, ctx) => this.#execute(worker, modules, input, ctx) };
  }

  close(): void {
    this.#isClosed = true;
    for (const idle of this.#idle.values()) for (const { expiry } of idle) clearTimeout(expiry);
    this.#idle.clear();
    for (const thread of this.#all) end(thread);
  }

  #execute(worker: string, modules: readonly string[], input: unknown, ctx: TaskContext): Promise<unknown> {
    const thread = this.#take(modules);
    return new Promise((resolve, reject) => {
      const finish = (isReusable: boolean, settle: () => void) => {
        ctx.signal.removeEventListener("abort", onAbort);
        thread.removeAllListeners("message").removeAllListeners("error").removeAllListeners("exit");
        if (isReusable) this.#giveBack(modules, thread);
        else this.#drop(thread);
        settle();
      };
      const onAbort = () => finish(false, () => reject(ctx.signal.reason));
      thread.on("message", (message: FromThread) => {
        if (message.kind === "output")
          finish(true, () => resolve(message.output === undefined ? undefined : JSON.parse(message.output)));
        else if (message.kind === "error") finish(true, () => reject(thrownBy(message.error)));
        else answer(thread, ctx, message);
      });
      thread.on("error", (error) =>
        finish(false, () => reject(new Error(`the thread of the task failed: ${String(error)}`))),
      );
      thread.on("exit", (code) =>
        finish(false, () => reject(new Error(`the thread of the task ended with code ${code}`))),
      );
      if (ctx.signal.aborted) onAbort();
      else {
        ctx.signal.addEventListener("abort", onAbort, { once: true });
        send(thread, runOf(worker, input, ctx));
      }
    });
  }

  #take(modules: readonly string[]): Thread {
    const idle = this.#idle.get(modules.join())?.pop();
    if (idle !== undefined) {
      clearTimeout(idle.expiry);
      return idle.thread;
    }
    const workerData = JSON.stringify({ natchet: "task", modules } satisfies ThreadData);
    const thread = new Thread(this.#parts.entry, { workerData });
    this.#all.add(thread);
    return thread;
  }

  #giveBack(modules: readonly string[], thread: Thread): void {
    if (this.#isClosed) {
      this.#drop(thread);
      return;
    }
    const key = modules.join();
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    const expiry = setTimeout(() => {
      idle.splice(
        idle.findIndex((one) => one.thread === thread),
        1,
      );
      this.#drop(thread);
    }, idleMs);
    expiry.unref?.();
    thread.unref();
    thread.on("error", () => {});
    idle.push({ thread, expiry });
  }

  #drop(thread: Thread): void {
    this.#all.delete(thread);
    end(thread);
  }
}

/** Not waited for: on some runtimes a thread that computes takes its time to die, or never says that it did. */
function end(thread: Thread): void {
  thread.on("error", () => {});
  void thread.terminate();
}

const send = (thread: Thread, message: ToThread): void => thread.postMessage(message);

const runOf = (worker: string, input: unknown, ctx: TaskContext): RunInThread => ({
  kind: "run",
  worker,
  task: ctx.task,
  input: JSON.stringify(input),
  context: {
    runId: ctx.runId,
    worker: ctx.worker,
    attempt: ctx.attempt,
    errors: ctx.errors,
    metadata: ctx.metadata,
    failedRun: ctx.failedRun,
  },
});

/** What the task says to its context. */
function answer(thread: Thread, ctx: TaskContext, message: FromThread): void {
  if (message.kind === "log") ctx.log[message.level](message.message, message.fields);
  else if (message.kind === "progress") ctx.progress(message.fraction, message.note);
  else if (message.kind === "extend") ctx.extendTimeout(message.by);
  else if (message.kind === "letGo") ctx.releaseSlot();
  else if (message.kind === "chunk") {
    const { n, chunk, isJson } = message;
    const taken = (error?: unknown) =>
      send(thread, {
        kind: "taken",
        n,
        ...(error !== undefined && { error: String((error as Error).message ?? error) }),
      });
    Promise.resolve()
      .then(() => ctx.stream(isJson ? JSON.parse(chunk as string) : chunk))
      .then(() => taken(), taken);
  }
}

function thrownBy({ name, message, stack, ms }: ThrownInThread): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, ms === undefined ? {} : { ms });
}
