// The engine of natchet with very many parked runs: its memory, and how fast another one takes over when it is killed.
import { now } from "../adapter.ts";
import type { Cell } from "../cell.ts";
import { Poke } from "../probes.ts";
import type { Scenario, Values } from "../scenario.ts";
import { asClient, startProbes, untilWaiting } from "./in-probes.ts";
import { type Engines, killedEngine } from "./killed-engine.ts";

const perCall = 1_000;

export const parked: Scenario = { ...parkedOf("durable-parked", 100_000), maxRounds: 1, set: "durable" };
export const parkedMillion: Scenario = {
  ...parkedOf("durable-parked-1m", 1_000_000),
  maxRounds: 1,
  isOptional: true,
};

function parkedOf(name: string, full: number): Scenario {
  const about = {
    name,
    title: `${full.toLocaleString("en")} parked runs: memory and take-over`,
    about:
      "Durable runs that wait for a signal. The leading engine is killed (SIGKILL) while another one stands by, and one of the runs is sent its signal; from the kill until the other engine leads, and until that run goes on. Cold: no other engine, and the lease of the killed one is over. Memory is what is resident, with all that the runtime has not given back.",
    metrics: [
      { key: "rate", label: "enqueue → all parked", unit: "runs/s" },
      { key: "memory", label: "engine, above idle", unit: "MB" },
      { key: "bytes", label: "engine, a parked run", unit: "bytes" },
      { key: "perGiB", label: "parked runs per GiB", unit: "runs" },
      { key: "leads", label: "kill → leads", unit: "ms" },
      { key: "first", label: "kill → a run goes on", unit: "ms" },
      { key: "cold", label: "cold: start → leads", unit: "ms" },
    ],
  };
  return killedEngine(about, { full, brief: 5_000 }, measured);
}

async function measured(cell: Cell, engines: Engines, count: number): Promise<Values> {
  const { leader } = engines;
  const probes = await startProbes(cell, "apart");
  return asClient(cell, async ({ wait }, natchet) => {
    const input = { steps: 0, waits: 1 };
    const park = async (many: number, waiting: number) => {
      for (let left = many; left > 0; left -= perCall)
        await wait.enqueueMany(Array.from({ length: Math.min(left, perCall) }, () => input));
      await untilWaiting(natchet, "wait", waiting);
    };
    await park(2_000, 2_000); // so that nothing measured is done for the first time
    let parkedMs = 0;
    const taken = await engines.bytesOf(async () => {
      const startedAt = now();
      await park(count, count + 2_000);
      parkedMs = now() - startedAt;
    });
    const bytes = taken / count;

    const standby = await engines.standby();
    const run = await wait.enqueue(input);
    while ((await run.status()).state !== "waiting");
    const killedAt = now();
    await leader.kill();
    const sent = run.send(Poke, undefined);
    const [leads, first] = await Promise.all([standby.next("leading"), probes.next("woken"), sent]);
    await standby.kill();
    const cold = await engines.cold();
    await probes.kill();
    return {
      rate: (count * 1_000) / parkedMs,
      memory: taken / 1_000_000,
      bytes,
      perGiB: 2 ** 30 / bytes,
      leads: leads.at - killedAt,
      first: first.at - killedAt,
      cold: cold.leadsAt - cold.startedAt,
    };
  });
}
