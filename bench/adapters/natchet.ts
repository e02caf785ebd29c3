// natchet in the client and worker processes of the benchmark; the workers carry the engine, as they do by default.
import { z } from "zod";
import { connect, Durable, type DurableContext, start, Task, type TaskContext, Worker } from "../../src/mod.ts";
import type { Adapter, Handle, Input, Output } from "../adapter.ts";
import { retryDelayMs, tasksOf, type Workload } from "../workload.ts";

export const natchetAdapter = (engine: "auto" | "off"): Adapter => ({
  async connect(url, workload) {
    const natchet = await connect({ url, log: "warn" });
    const tasks = tasksOf(workload).map((name) => natchet.task<Input, Output>(name));
    const priorities = workload.priorities ?? 1;
    let calls = 0;
    /** The next of the tasks, with the next of the priorities. */
    const next = () => {
      const call = calls++;
      const options = priorities > 1 ? { priority: 1 + (call % priorities) } : {};
      return { task: tasks[call % tasks.length]!, options };
    };
    return {
      add(input) {
        const { task, options } = next();
        return task.enqueue(input, options);
      },
      addMany(inputs) {
        const { task, options } = next();
        return task.enqueueMany(inputs, options);
      },
      addDelayed: (inputs, due) => next().task.enqueueMany(inputs, { at: due }),
      run(input) {
        const { task, options } = next();
        return task.run(input, options);
      },
      async unfinished() {
        const queues = await natchet.queues();
        return queues.reduce(
          (sum, { queued, running, scheduled, waiting }) => sum + queued + running + scheduled + waiting,
          0,
        );
      },
      close: () => natchet.close(),
    };
  },
  async work(url, slots, handle, workload) {
    const log = workload.hasDefaultLog ? {} : ({ log: "warn" } as const);
    return start(workerClass(slots, handle, workload), { url, engine, ...log });
  },
});

export const adapter = natchetAdapter("auto");

const schemas = {
  input: z.object({ n: z.number().int(), sent: z.number(), text: z.string() }),
  output: z.object({ n: z.number().int(), text: z.string().optional() }),
};

/** A class as users write it, with a method for each task of the workload. */
function workerClass(slots: number, handle: Handle, workload: Workload) {
  return workload.steps === undefined
    ? plainClass(slots, handle, workload)
    : durableClass(slots, handle, workload.steps);
}

function plainClass(slots: number, handle: Handle, workload: Workload) {
  const retries = { limit: 1, backoff: "fixed", base: retryDelayMs, jitter: false } as const;
  const options = {
    timeout: "5m" as const,
    ...(workload.failOneIn !== undefined && { retries }),
    ...(workload.hasSchema && schemas),
  };
  class BenchWorker {}
  for (const name of tasksOf(workload)) {
    // A run that says nothing does not ask for its log either.
    const execute = (input: Input, ctx: TaskContext): Promise<Output> =>
      handle(input, { attempt: ctx.attempt, log: (line) => ctx.log.info(line) });
    const method = { value: execute, configurable: true, writable: true };
    Object.defineProperty(BenchWorker.prototype, name, method);
    (Task(name, options) as MethodDecorator)(BenchWorker.prototype, name, method);
  }
  Worker({ name: "bench", slots })(BenchWorker);
  return BenchWorker as never;
}

function durableClass(slots: number, handle: Handle, steps: number) {
  @Worker({ name: "bench", slots })
  class BenchWorker {
    @Durable("noop")
    async execute(input: Input, ctx: DurableContext): Promise<Output> {
      for (let n = 1; n < steps; n += 1) await ctx.step("step", () => ({ n }));
      return ctx.step("last", ({ attempt }) => handle(input, { attempt, log: (line) => ctx.log.info(line) }));
    }
  }
  return BenchWorker as never;
}
