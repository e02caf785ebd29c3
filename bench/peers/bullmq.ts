// BullMQ in the client and worker processes of the benchmark.
import { type ConnectionOptions, Queue, QueueEvents, Worker } from "bullmq";
import type { Adapter, Input, Output } from "../adapter.ts";
import { retryDelayMs, tasksOf } from "../workload.ts";

export const adapter: Adapter = {
  async connect(url, workload) {
    const connection = connectionOf(url);
    const retries =
      workload.failOneIn === undefined ? {} : { attempts: 2, backoff: { type: "fixed", delay: retryDelayMs } };
    const queues = tasksOf(workload).map(
      (name) =>
        new Queue<Input, Output>(name, {
          connection,
          defaultJobOptions: { removeOnComplete: { count: 1_000 }, removeOnFail: { count: 5_000 }, ...retries },
        }),
    );
    const events = queues.map(({ name }) => new QueueEvents(name, { connection }));
    // Each job that is waited for listens to both.
    for (const each of [...queues, ...events]) each.setMaxListeners(0);
    await Promise.all([...queues, ...events].map((each) => each.waitUntilReady()));
    const priorities = workload.priorities ?? 1;
    let calls = 0;
    /** The next of the queues, with the next of the priorities. */
    const next = () => {
      const call = calls++;
      const at = call % queues.length;
      return {
        queue: queues[at]!,
        events: events[at]!,
        opts: priorities > 1 ? { priority: 1 + (call % priorities) } : {},
      };
    };
    const addMany = (inputs: readonly Input[], more: () => object) => {
      const { queue, opts } = next();
      return queue.addBulk(inputs.map((data) => ({ name: queue.name, data, opts: { ...opts, ...more() } })));
    };
    return {
      add(input) {
        const { queue, opts } = next();
        return queue.add(queue.name, input, opts);
      },
      addMany: (inputs) => addMany(inputs, () => ({})),
      addDelayed: (inputs, due) => addMany(inputs, () => ({ delay: due - Date.now() })),
      async run(input) {
        const { queue, events, opts } = next();
        return (await queue.add(queue.name, input, opts)).waitUntilFinished(events);
      },
      async unfinished() {
        const states = ["waiting", "active", "delayed", "prioritized", "failed"] as const;
        const counts = await Promise.all(queues.map((queue) => queue.getJobCounts(...states)));
        return counts.flatMap((each) => Object.values(each)).reduce((sum, count) => sum + count, 0);
      },
      close: () => Promise.all([...queues, ...events].map((each) => each.close())),
    };
  },
  async work(url, slots, handle, workload) {
    const workers = tasksOf(workload).map(
      (name) =>
        new Worker<Input, Output>(
          name,
          (job) => handle(job.data, { attempt: job.attemptsMade + 1, log: (line) => job.log(line) }),
          { connection: connectionOf(url), concurrency: slots },
        ),
    );
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    return { stop: () => Promise.all(workers.map((worker) => worker.close())) };
  },
};

function connectionOf(url: string): ConnectionOptions {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}
