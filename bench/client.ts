// The client process of the benchmark; each command line is one measurement.
import { connect } from "../src/mod.ts";
import { commands, say } from "./process.ts";

const natchet = await connect({ log: "warn" });
const noop = natchet.task<{ text: string }, unknown>("noop");
const input = { text: "x".repeat(88) };
const inputs = (count: number) => Array.from({ length: count }, () => input);
say("connected");

const measurements: Record<string, (count: number) => Promise<Record<string, unknown>>> = {
  /** Enqueues and waits for every output, two arrays of 5,000 on their way at any time. */
  async throughput(count) {
    const startedAt = performance.now();
    let left = count;
    let completed = 0;
    const lane = async () => {
      while (left > 0) {
        const size = Math.min(5_000, left);
        left -= size;
        const outputs = await noop.runMany(inputs(size));
        completed += outputs.length;
      }
    };
    await Promise.all([lane(), lane()]);
    return { ms: performance.now() - startedAt, completed };
  },
  /** One run after the other. */
  async latency(count) {
    const samples: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const startedAt = performance.now();
      await noop.run(input);
      samples.push(performance.now() - startedAt);
    }
    samples.sort((a, b) => a - b);
    return { p50: samples[Math.floor(count * 0.5)], p99: samples[Math.floor(count * 0.99)], completed: samples.length };
  },
  /** Fills the queue while no worker is there. */
  async fill(count) {
    const startedAt = performance.now();
    for (let left = count; left > 0; left -= 10_000) await noop.enqueueMany(inputs(Math.min(10_000, left)));
    return { ms: performance.now() - startedAt };
  },
  /** Waits until nothing is queued or running any more. */
  async drain() {
    const startedAt = performance.now();
    for (;;) {
      const queue = (await natchet.queues()).find(({ task }) => task === "noop");
      if (queue !== undefined && queue.queued + queue.running === 0) return { ms: performance.now() - startedAt };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
  async completed() {
    return { total: (await natchet.list({ task: "noop", state: ["completed"] }, { limit: 1 })).total };
  },
};

for await (const command of commands()) {
  const [name = "", count = "0"] = command.split(" ");
  if (name === "end") break;
  say(name, await measurements[name]!(Number(count)));
}
await natchet.close();
