// bunqueue in the client and worker processes of the benchmark.
import { Queue, Worker } from "bunqueue/client";
import type { Adapter, Input, Output } from "../adapter.ts";

const queueName = "noop";

export const adapter: Adapter = {
  async connect(url) {
    const queue = new Queue<Input>(queueName, {
      connection: connectionOf(url),
      defaultJobOptions: { durable: true },
    });
    const jobsOf = (inputs: readonly Input[], delay: () => object) =>
      inputs.map((data) => ({ name: queueName, data, opts: delay() }));
    return {
      add: (input) => queue.add(queueName, input),
      addMany: (inputs) => queue.addBulk(jobsOf(inputs, () => ({}))),
      addDelayed: (inputs, due) => queue.addBulk(jobsOf(inputs, () => ({ delay: due - Date.now() }))),
      run: async (input) => (await queue.add(queueName, input)).waitUntilFinished(undefined) as Promise<Output>,
      async unfinished() {
        const { waiting, active, delayed, failed, prioritized } = await queue.getJobCountsAsync();
        return waiting + active + delayed + failed + (prioritized ?? 0);
      },
      close: async () => queue.close(),
    };
  },
  async work(url, slots, handle) {
    const worker = new Worker<Input, Output>(
      queueName,
      (job) => handle(job.data, { attempt: job.attemptsMade + 1, log: (line) => job.log(line) }),
      {
        connection: connectionOf(url),
        concurrency: slots,
        batchSize: 100,
        pollTimeout: 5_000,
      },
    );
    await worker.waitUntilReady();
    return { stop: () => worker.close() };
  },
};

function connectionOf(url: string) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
