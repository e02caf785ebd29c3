// How soon durable runs go on: parked ones by a signal or a time, from memory or from their journal; and one whose worker was killed.
import { now } from "../adapter.ts";
import type { Cell } from "../cell.ts";
import { Poke } from "../probes.ts";
import type { Process } from "../process.ts";
import type { Metric, Scenario, Values } from "../scenario.ts";
import { quantilesOf } from "../statistics.ts";
import { asClient, inProbes, startProbes, untilWaiting } from "./in-probes.ts";

const ms = (key: string, label: string): Metric => ({ key, label, unit: "ms", digits: 2 });

export const wake: Scenario = {
  name: "durable-wake",
  set: "durable",
  title: "how soon a parked run goes on",
  about:
    "A signal is sent to one parked run after the other; from the call until the run has it, in turns with plain runs, from the call that enqueues one until it begins. Warm: its frame is in memory; cold: another worker, which reads its journal of 100 records. By time: a sleep of 100 ms is over until the run goes on, which is warm. Then a run that maps 1,000 no-op children.",
  metrics: [
    ms("plain", "enqueue of a plain run → begins, p50"),
    ms("warm", "signal → goes on, warm, p50"),
    ms("cold", "signal → goes on, cold, p50"),
    ms("time", "time → goes on, p50"),
    ms("map", "map of 1,000 no-op children, p50"),
  ],
  only: "natchet",
  isLong: true,
  async measure(cell, { once }) {
    const count = once ? 30 : 200;
    const warm = await inProbes(cell, (probes) => warmWakes(cell, probes, count));
    return { ...warm, cold: await coldWakes(cell, count) };
  },
};

export const killed: Scenario = {
  name: "durable-killed",
  set: "durable",
  title: "a durable run whose worker is killed",
  about:
    "Its worker is killed (SIGKILL) in the middle of a step; another one stands by, and the engine is apart. Until the same step begins again there, after the ten steps before it are read from the journal.",
  metrics: [ms("p50", "kill → goes on, p50"), ms("max", "kill → goes on, longest")],
  only: "natchet-apart",
  isLong: true,
  maxRounds: 1,
  measure: (cell, { once }) => killings(cell, once ? 1 : 7),
};

async function warmWakes(cell: Cell, probes: Process, count: number): Promise<Values> {
  const samples: number[] = [];
  const plain: number[] = [];
  await asClient(cell, async ({ wait, hello }) => {
    const run = await wait.enqueue({ steps: 0, waits: count + 10 });
    for (let n = 0; n < count + 10; n += 1) {
      while ((await run.status()).state !== "waiting");
      const sentAt = now();
      await run.send(Poke, undefined);
      samples.push((await probes.next("woken")).at - sentAt);
      const enqueuedAt = now();
      const other = await hello.enqueue();
      plain.push((await probes.next("woken")).at - enqueuedAt);
      await other.result();
    }
    await run.result();
  });
  const { woken } = await probes.ask("sleep", { sleeps: 40, ms: 100 });
  const maps: number[] = [];
  for (let n = 0; n < 6; n += 1) maps.push((await probes.ask("map", 1_000 as never)).ms);
  return {
    plain: quantilesOf(plain.slice(10)).p50,
    warm: quantilesOf(samples.slice(10)).p50,
    time: woken,
    map: quantilesOf(maps.slice(1)).p50,
  };
}

/** What has parked the runs is gone when they are woken. */
async function coldWakes(cell: Cell, count: number): Promise<number> {
  return asClient(cell, async ({ wait }, natchet) => {
    const inputs = Array.from({ length: count }, () => ({ steps: 100, waits: 1 }));
    const runs = await inProbes(cell, async () => {
      const enqueued = await wait.enqueueMany(inputs);
      await untilWaiting(natchet, "wait", count);
      return enqueued;
    });
    return inProbes(cell, async (probes) => {
      const samples: number[] = [];
      for (const run of runs) {
        const sentAt = now();
        await run.send(Poke, undefined);
        samples.push((await probes.next("woken")).at - sentAt);
        await run.result();
      }
      return quantilesOf(samples.slice(count / 10)).p50;
    });
  });
}

async function killings(cell: Cell, count: number): Promise<Values> {
  const samples: number[] = [];
  await asClient(cell, async ({ killed: task }) => {
    for (let n = 0; n < count; n += 1) {
      const first = await startProbes(cell, "apart", "fatal");
      const run = await task.enqueue();
      await first.next("fatal");
      const second = await startProbes(cell, "apart");
      const killedAt = now();
      await first.kill();
      samples.push((await second.next("fatal")).at - killedAt);
      await run.result();
      await second.end();
    }
  });
  const { p50, max } = quantilesOf(samples);
  return { p50, max };
}
