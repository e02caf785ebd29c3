// One call of a batch task's handler for several runs: each is its own attempt, which joins the call and gets its part of the answer.

import type { BatchContext, TaskContext } from "../domain/context.ts";
import { isError, toText } from "../domain/thrown.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { outside } from "./context.ts";
import { around } from "./middleware.ts";
import { outputOf } from "./output.ts";

interface Member {
  readonly input: unknown;
  readonly ctx: TaskContext;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The members of a batch. Its handler is called as soon as each of them has joined, or has ended without joining. */
export class Batch {
  readonly #task: WorkerTask;
  readonly #members = new Map<string, Member>();
  readonly #asMember: WorkerTask;
  #expected = 0;
  #isClosed = false;

  constructor(task: WorkerTask) {
    this.#task = task;
    const asMember: WorkerTask = { ...task, handler: (input, ctx) => this.#join(input, ctx) };
    this.#asMember = around(asMember, task.middleware ?? []);
  }

  /** Adds a member; to be called before the first one executes. Returns the task as the member executes it. */
  admit(): WorkerTask {
    this.#expected += 1;
    return this.#asMember;
  }

  /** An attempt has ended; if it never joined (its input was refused, it was cancelled), the others need not wait for it. */
  left(runId: string): void {
    if (this.#isClosed || this.#members.has(runId)) return;
    this.#expected -= 1;
    this.#callIfComplete();
  }

  #join(input: unknown, ctx: TaskContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#members.set(ctx.runId, { input, ctx, resolve, reject });
      this.#callIfComplete();
    });
  }

  #callIfComplete(): void {
    if (this.#isClosed || this.#members.size < this.#expected || this.#members.size === 0) return;
    this.#isClosed = true;
    void this.#call([...this.#members.values()]);
  }

  async #call(members: readonly Member[]): Promise<void> {
    try {
      const inputs = members.map(({ input }) => input);
      const ctx = contextOf(members);
      const returned = outside(() => this.#task.handler(inputs, ctx as never));
      const outputs = await outputOf(returned, ctx);
      if (!Array.isArray(outputs) || outputs.length !== members.length) {
        const got = Array.isArray(outputs) ? `${outputs.length} outputs` : toText(outputs);
        throw new TypeError(
          `batch task "${this.#task.name}" must return an array with one output, or Error, for each of its ${members.length} inputs, not ${got}; for example inputs.map(() => null)`,
        );
      }
      members.forEach(({ resolve, reject }, index) => {
        const output = outputs[index];
        if (isError(output)) reject(output);
        else resolve(output);
      });
    } catch (error) {
      for (const { reject } of members) reject(error);
    }
  }
}

function contextOf(members: readonly Member[]): BatchContext {
  const contexts = members.map(({ ctx }) => ctx);
  let controller: AbortController | undefined;
  return {
    members: contexts,
    get signal() {
      if (controller !== undefined) return controller.signal;
      const all = new AbortController();
      controller = all;
      let left = contexts.length;
      for (const { signal } of contexts) {
        const onAbort = () => {
          left -= 1;
          if (left === 0) all.abort(signal.reason);
        };
        if (signal.aborted) onAbort();
        else signal.addEventListener("abort", onAbort, { once: true });
      }
      return all.signal;
    },
  };
}
