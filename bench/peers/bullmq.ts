// BullMQ in the client and worker processes of the benchmark.
import { type ConnectionOptions, Queue, QueueEvents, Worker } from "bullmq";
import type { Adapter, Input, Output } from "../adapter.ts";

const queueName = "noop";

export const adapter: Adapter = {
  async connect(url) {
    const connection = connectionOf(url);
    const queue = new Queue<Input, Output>(queueName, {
      connection,
      defaultJobOptions: { removeOnComplete: { count: 1_000 }, removeOnFail: { count: 5_000 } },
    });
    const events = new QueueEvents(queueName, { connection });
    // Each job that is waited for listens to both.
    queue.setMaxListeners(0);
    events.setMaxListeners(0);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    const jobsOf = (inputs: readonly Input[], delay: () => object) =>
      inputs.map((data) => ({ name: queueName, data, opts: delay() }));
    return {
      add: (input) => queue.add(queueName, input),
      addMany: (inputs) => queue.addBulk(jobsOf(inputs, () => ({}))),
      addDelayed: (inputs, due) => queue.addBulk(jobsOf(inputs, () => ({ delay: due - Date.now() }))),
      run: async (input) => (await queue.add(queueName, input)).waitUntilFinished(events),
      async unfinished() {
        const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized", "failed");
        return Object.values(counts).reduce((sum, count) => sum + count, 0);
      },
      close: () => Promise.all([queue.close(), events.close()]),
    };
  },
  async work(url, slots, handle) {
    const worker = new Worker<Input, Output>(queueName, (job) => handle(job.data), {
      connection: connectionOf(url),
      concurrency: slots,
    });
    await worker.waitUntilReady();
    return { stop: () => worker.close() };
  },
};

function connectionOf(url: string): ConnectionOptions {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}
