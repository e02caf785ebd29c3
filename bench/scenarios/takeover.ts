// The engine of natchet with many queued runs: its memory, and how fast another one takes over when it is killed.
import { now } from "../adapter.ts";
import { type Cell, slots } from "../cell.ts";
import type { Process } from "../process.ts";
import type { Scenario, Values } from "../scenario.ts";
import { sleep } from "../servers/server.ts";
import { type Engines, killedEngine } from "./killed-engine.ts";

/** What an engine keeps of an input of 100 bytes, and of all inputs at most. */
const keptInputBytes = 172;
const inputBudgetBytes = 64 * 1024 * 1024;

export const takeover = takeoverOf("takeover", 100_000);
export const takeoverMillion: Scenario = { ...takeoverOf("takeover-1m", 1_000_000), maxRounds: 1 };

function takeoverOf(name: string, full: number): Scenario {
  const about = {
    name,
    title: `${full.toLocaleString("en")} queued runs: memory and take-over`,
    about:
      "All slots of a worker are taken when the leading engine is killed (SIGKILL) and then free. Warm: another engine stands by; from the kill until it leads and until the first run begins. Cold: no other engine, and the lease of the killed one is over; from the start of a new engine process.",
    metrics: [
      { key: "memory", label: "engine, above idle", unit: "MB" },
      { key: "bytes", label: "engine, a queued run, without kept inputs", unit: "bytes" },
      { key: "warm.leads", label: "warm: kill → leads", unit: "ms" },
      { key: "warm.first", label: "warm: kill → first run", unit: "ms" },
      { key: "cold.leads", label: "cold: start → leads", unit: "ms" },
      { key: "cold.first", label: "cold: start → first run", unit: "ms" },
    ],
  };
  return killedEngine(about, { full, brief: 2_000 }, measured);
}

async function measured(cell: Cell, engines: Engines, count: number): Promise<Values> {
  await cell.startWorkers(1);
  await cell.warmUp(Math.min(count / 10, 2_000));
  await cell.stopWorkers();
  const bytes = await engines.bytesOf(() => cell.tell("bulk", { count }));

  const standby = await engines.standby();
  await cell.startWorkers(1, true);
  const worker = cell.workers[0]!;
  await worker.next("first");
  await allSlotsTaken(worker);
  const killedAt = now();
  await engines.leader.kill();
  await worker.ask("release");
  const warmLeads = await standby.next("leading");
  const warmFirst = await worker.next("first");
  await worker.ask("hold");
  await allSlotsTaken(worker);

  await standby.kill();
  await worker.ask("release");
  const cold = await engines.cold();
  const coldFirst = await worker.next("first");
  await cell.settle();
  return {
    memory: bytes / 1_000_000,
    bytes: (bytes - Math.min(count * keptInputBytes, inputBudgetBytes)) / count,
    "warm.leads": warmLeads.at - killedAt,
    "warm.first": warmFirst.at - killedAt,
    "cold.leads": cold.leadsAt - cold.startedAt,
    "cold.first": coldFirst.at - cold.startedAt,
  };
}

/** Until a held worker begins nothing more. */
async function allSlotsTaken(worker: Process): Promise<void> {
  for (let before = -slots; ; await sleep(200)) {
    const { executed } = await worker.ask("count");
    if (executed >= slots && executed === before) return;
    before = executed;
  }
}
