// The engine of natchet with many queued runs: its memory, and how fast another one takes over when it is killed.
import { now } from "../adapter.ts";
import { type Cell, slots } from "../cell.ts";
import { cpuTimeMs, residentBytes } from "../cpu-time.ts";
import type { Process } from "../process.ts";
import type { Scenario, Values } from "../scenario.ts";
import { sleep } from "../servers/server.ts";
import type { NatchetStand } from "../systems/natchet.ts";

/** The lease of a killed engine is over after this. */
export const leaseMs = 6_000;
/** What an engine keeps of an input of 100 bytes, and of all inputs at most. */
const keptInputBytes = 172;
const inputBudgetBytes = 64 * 1024 * 1024;

export const takeover = takeoverOf("takeover", 100_000);
export const takeoverMillion: Scenario = { ...takeoverOf("takeover-1m", 1_000_000), maxRounds: 1 };

function takeoverOf(name: string, full: number): Scenario {
  return {
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
    only: "natchet-apart",
    isLong: true,
    measure: (cell, { once }) => measured(cell, once ? 2_000 : full),
  };
}

async function measured(cell: Cell, count: number): Promise<Values> {
  const { engine, startEngine } = cell.stand as NatchetStand & { readonly engine: Process };
  await cell.startWorkers(1);
  await cell.warmUp(Math.min(count / 10, 2_000));
  await cell.stopWorkers();
  await untilQuiet(engine.pid);
  const idleBytes = residentBytes(engine.pid);
  await cell.tell("bulk", { count });
  await untilQuiet(engine.pid);
  const bytes = residentBytes(engine.pid) - idleBytes;

  const standby = startEngine();
  await untilQuiet(standby.pid);
  await cell.startWorkers(1, true);
  const worker = cell.workers[0]!;
  await worker.next("first");
  await allSlotsTaken(worker);
  const killedAt = now();
  await engine.kill();
  await worker.ask("release");
  const warmLeads = await standby.next("leading");
  const warmFirst = await worker.next("first");
  await worker.ask("hold");
  await allSlotsTaken(worker);

  await standby.kill();
  await worker.ask("release");
  await sleep(leaseMs);
  const startedAt = now();
  const newcomer = startEngine();
  const coldLeads = await newcomer.next("leading");
  const coldFirst = await worker.next("first");
  await cell.settle();
  return {
    memory: bytes / 1_000_000,
    bytes: (bytes - Math.min(count * keptInputBytes, inputBudgetBytes)) / count,
    "warm.leads": warmLeads.at - killedAt,
    "warm.first": warmFirst.at - killedAt,
    "cold.leads": coldLeads.at - startedAt,
    "cold.first": coldFirst.at - startedAt,
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

/** Until a process has nothing left to do. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY; ; await sleep(500)) {
    const used = cpuTimeMs(pid);
    if (used - before <= 20) return;
    before = used;
  }
}
