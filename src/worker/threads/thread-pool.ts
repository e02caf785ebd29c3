// worker/threads/: tasks that execute in threads.
// Threads for tasks with `thread`: each executes one attempt at a time and is kept for the next one. A cancelled or timed-out attempt takes its thread
// with it.
import type { URL } from "node:url";
import type { ErrorRecord } from "../../domain/error-record.ts";
import type { Log } from "../../domain/log.ts";
import type { WorkerTask } from "../../domain/worker.ts";
import type { RunContext } from "../context.ts";
import { PooledThread, type ThreadHost } from "./pooled-thread.ts";

export interface ThreadPoolParts {
  /** The program of a thread. */
  readonly entry: URL;
  /** The modules of tasks whose `thread` names none. */
  readonly modules: readonly string[];
  readonly log: Log;
  /** An unhandled error of this run, or of an unknown one. */
  readonly onUnhandled: (error: ErrorRecord, run: string | undefined) => void;
}

const idleMs = 60_000;

interface Idle {
  readonly thread: PooledThread;
  readonly expiry: ReturnType<typeof setTimeout>;
}

export class ThreadPool {
  readonly #parts: ThreadPoolParts;
  readonly #idle = new Map<string, Idle[]>();
  readonly #all = new Set<PooledThread>();
  readonly #host: ThreadHost;
  #isClosed = false;

  constructor(parts: ThreadPoolParts) {
    this.#parts = parts;
    this.#host = {
      log: parts.log,
      onUnhandled: parts.onUnhandled,
      onGone: (thread) => this.#forget(thread),
    };
  }

  /** The task as it executes here: in a thread, if it asks for one. Input and output are checked there. */
  taskOf(worker: string, task: WorkerTask): WorkerTask {
    const { thread } = task;
    if (thread === undefined) return task;
    const modules = thread === true ? this.#parts.modules : [thread];
    const handler: WorkerTask["handler"] = (input, ctx) => this.#execute(worker, modules, input, ctx as RunContext);
    return { ...task, input: undefined, output: undefined, handler };
  }

  /** Idle threads close what they opened. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#all, (thread) => thread.close()));
  }

  async #execute(worker: string, modules: readonly string[], input: unknown, ctx: RunContext): Promise<unknown> {
    const key = modules.join();
    const thread = this.#take(key, modules);
    try {
      return await thread.execute(worker, input, ctx);
    } finally {
      if (thread.isUsable && !this.#isClosed) this.#keep(key, thread);
    }
  }

  #take(key: string, modules: readonly string[]): PooledThread {
    const idle = this.#idle.get(key)?.pop();
    if (idle !== undefined) {
      clearTimeout(idle.expiry);
      return idle.thread;
    }
    const thread = new PooledThread(this.#parts.entry, modules, this.#host);
    this.#all.add(thread);
    return thread;
  }

  #keep(key: string, thread: PooledThread): void {
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    const expiry = setTimeout(() => void thread.close(), idleMs);
    expiry.unref?.();
    thread.unref();
    idle.push({ thread, expiry });
  }

  /** Never handed out again. */
  #forget(thread: PooledThread): void {
    this.#all.delete(thread);
    for (const idle of this.#idle.values()) {
      const at = idle.findIndex((one) => one.thread === thread);
      if (at >= 0) clearTimeout(idle.splice(at, 1)[0]!.expiry);
    }
  }
}
