// Middleware around a task's code, composed once when the worker is created. A task without middleware stays as it is.
import type { ExecuteMiddleware } from "../domain/middleware.ts";
import type { WorkerDefinition, WorkerTask } from "../domain/worker.ts";
import { accepted } from "./accepted.ts";
import { type RunContext, within } from "./context.ts";
import { outputOf } from "./output.ts";

/** The tasks of a worker with the middleware of the process, of the worker and their own around them, in this order. */
export const tasksAround = (
  { tasks, middleware = [] }: WorkerDefinition,
  ofProcess: readonly ExecuteMiddleware[] = [],
): readonly WorkerTask[] =>
  tasks.map((task) => {
    // Not around a durable method: middleware would execute again at each replay, and await what natchet does not know about.
    if (task.durable !== undefined) return task;
    const chain = [...ofProcess, ...middleware, ...(task.middleware ?? [])];
    // The middleware of a batch task goes around each member, and the batch composes it.
    return task.policies?.batch === undefined ? around(task, chain) : { ...task, middleware: chain };
  });

export const around = (task: WorkerTask, chain: readonly ExecuteMiddleware[]): WorkerTask =>
  chain.length === 0 ? task : new Onion(task, chain).task;

class Onion {
  /** Checks nothing by itself: middleware sees the input as it was sent, and what it passes on is checked inside, as is the output. */
  readonly task: WorkerTask;
  readonly #core: WorkerTask;
  readonly #chain: readonly ExecuteMiddleware[];

  constructor(core: WorkerTask, chain: readonly ExecuteMiddleware[]) {
    this.#core = core;
    this.#chain = chain;
    const handler: WorkerTask["handler"] = (input, ctx) => this.#pass(0, input, ctx as RunContext);
    this.task = { ...core, input: undefined, output: undefined, handler };
  }

  async #pass(layer: number, input: unknown, ctx: RunContext): Promise<unknown> {
    const middleware = this.#chain[layer];
    if (middleware === undefined) return this.#perform(input, ctx);
    const running = new Set<Promise<unknown>>();
    let output: unknown;
    let hasReturned = false;
    const next = (change?: { readonly input: unknown }) => {
      if (hasReturned)
        throw new Error(`task "${this.#core.name}": next() was called after its middleware had returned`);
      const call = this.#enter(layer + 1, change === undefined ? input : change.input, ctx)
        .then((value) => {
          output = value;
          return value;
        })
        .finally(() => running.delete(call));
      running.add(call);
      call.catch(() => {}); // whoever awaits the call gets its error
      return call;
    };
    const returned = await this.#returned(() => middleware({ task: this.#core.name, input, ctx }, next), running, ctx);
    hasReturned = true;
    return returned === undefined ? output : returned;
  }

  /** Keeps the slot until everything that the middleware started has ended, including what it does not await. */
  async #returned(call: () => unknown, running: ReadonlySet<Promise<unknown>>, ctx: RunContext): Promise<unknown> {
    try {
      const returned = await outputOf(call(), ctx);
      if (returned === undefined) await Promise.all(running); // nobody else would learn of their failure
      return returned;
    } finally {
      await Promise.allSettled(running);
    }
  }

  /** Passes an input on, so that `currentRun()` and `ctx` show it. */
  #enter(layer: number, input: unknown, ctx: RunContext): Promise<unknown> {
    if (input === ctx.input) return this.#pass(layer, input, ctx);
    const inner = ctx.withInput(input);
    return within(inner, () => this.#pass(layer, input, inner));
  }

  async #perform(input: unknown, ctx: RunContext): Promise<unknown> {
    const given = await accepted("input", this.#core, input);
    const inner = given === ctx.input ? ctx : ctx.withInput(given);
    const output = await within(inner, () => outputOf(this.#core.handler(given, inner), inner));
    await accepted("output", this.#core, output);
    return output;
  }
}
