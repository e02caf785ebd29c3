// The client process of the benchmark: `<adapter> <url> <workload>`. Each command line is one measurement, the same code for every system.
import { type Input, loadAdapter, now, type Output } from "./adapter.ts";
import { Inputs } from "./inputs.ts";
import { commands, say } from "./process.ts";
import { quantilesOf } from "./statistics.ts";
import { workloadFrom } from "./workload.ts";

/** What the load generator itself is late by is latency only beyond this. */
const timerMs = 2;

const [path = "", url = "", workload] = process.argv.slice(2);
const client = await (await loadAdapter(path)).connect(url, workloadFrom(workload));
const inputs = new Inputs();
say("connected");

interface Order {
  readonly count: number;
  readonly bytes: number;
  readonly perCall: number;
  readonly lanes: number;
  readonly rate: number;
  readonly due: number;
}

/** Runs one where the system offers results, else only stores it. */
const runOne: (input: Input) => Promise<unknown> = client.run === undefined ? (input) => client.add(input) : checkedRun;

async function checkedRun(input: Input): Promise<Output> {
  const output = await client.run!(input);
  if (output.n !== input.n) throw new Error(`the result of run ${input.n} came as that of ${output.n}`);
  return output;
}

/** Calls `send` for `count` inputs, up to `size` at a time, by so many lanes. */
async function inLanes(count: number, size: number, lanes: number, send: (size: number) => Promise<unknown>) {
  const startedAt = now();
  let left = count;
  const lane = async () => {
    while (left > 0) {
      const taken = Math.min(size, left);
      left -= taken;
      await send(taken);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { startedAt, ms: now() - startedAt };
}

const measurements: Record<string, (order: Order) => Promise<object>> = {
  /** One by one, each awaited. */
  singly: ({ count, bytes }) => inLanes(count, 1, 1, () => client.add(inputs.one(bytes))),
  bulk: ({ count, bytes, perCall, lanes }) =>
    inLanes(count, perCall, lanes, (size) => client.addMany(inputs.many(size, bytes))),
  /** Runs with results, `lanes` on their way at any time. */
  results: ({ count, bytes, lanes }) => inLanes(count, 1, lanes, () => runOne(inputs.one(bytes))),
  delayed: ({ count, bytes, perCall, lanes, due }) =>
    inLanes(count, perCall, lanes, (size) => client.addDelayed(inputs.many(size, bytes, due), due)),
  /** One after the other. */
  async latency({ count, bytes }) {
    const samples: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const startedAt = now();
      await runOne(inputs.one(bytes, startedAt));
      samples.push(now() - startedAt);
    }
    return quantilesOf(samples);
  },
  /** At a fixed rate, whether or not the earlier ones have finished. */
  async load({ count, bytes, rate }) {
    const samples: number[] = [];
    const pending: Promise<unknown>[] = [];
    const startedAt = now();
    for (let sent = 0; sent < count; await new Promise((resolve) => setTimeout(resolve, 1))) {
      for (; sent < count && now() >= startedAt + (sent * 1_000) / rate; sent += 1) {
        const from = Math.min(now(), startedAt + (sent * 1_000) / rate + timerMs);
        pending.push(runOne(inputs.one(bytes, from)).then(() => samples.push(now() - from)));
      }
    }
    await Promise.all(pending);
    return { ...quantilesOf(samples), ms: now() - startedAt };
  },
  /** Waits until the store says that nothing is queued or running. */
  async idle() {
    while ((await client.unfinished()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return { at: now() };
  },
  /** Waits until the system answers a question. */
  async answer() {
    for (;;) {
      try {
        return { unfinished: await client.unfinished(), at: now() };
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  },
};

for await (const command of commands()) {
  const [name = "", order = "{}"] = command.split(" ");
  if (name === "end") break;
  say(name, { ...(await measurements[name]!(JSON.parse(order) as Order)), made: inputs.made });
}
await client.close();
process.exit();
