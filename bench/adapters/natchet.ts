// natchet in the client and worker processes of the benchmark; the workers carry the engine, as they do by default.
import { connect, start, Task, Worker } from "../../src/mod.ts";
import type { Adapter, Handle, Input, Output } from "../adapter.ts";

export const natchetAdapter = (engine: "auto" | "off"): Adapter => ({
  async connect(url) {
    const natchet = await connect({ url, log: "warn" });
    const noop = natchet.task<Input, Output>("noop");
    return {
      add: (input) => noop.enqueue(input),
      addMany: (inputs) => noop.enqueueMany(inputs),
      addDelayed: (inputs, due) => noop.enqueueMany(inputs, { at: due }),
      run: (input) => noop.run(input),
      async unfinished() {
        const queue = (await natchet.queues()).find(({ task }) => task === "noop");
        return queue === undefined ? 0 : queue.queued + queue.running + queue.scheduled;
      },
      close: () => natchet.close(),
    };
  },
  work: (url, slots, handle) => start(workerClass(slots, handle), { url, engine, log: "warn" }),
});

export const adapter = natchetAdapter("auto");

function workerClass(slots: number, handle: Handle) {
  @Worker({ name: "bench", slots })
  class BenchWorker {
    @Task("noop", { timeout: "5m", scheduleTimeout: null })
    noop(input: Input): Promise<Output> {
      return handle(input);
    }
  }
  return BenchWorker;
}
