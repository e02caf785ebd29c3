// What the scenarios have in common that fill the engine of natchet and then kill it, with another one beside it or without.
import { now } from "../adapter.ts";
import type { Cell } from "../cell.ts";
import { cpuTimeMs, residentBytes } from "../cpu-time.ts";
import type { Process } from "../process.ts";
import type { Scenario, Values } from "../scenario.ts";
import { sleep } from "../servers/server.ts";
import type { NatchetStand } from "../systems/natchet.ts";

/** The lease of a killed engine is over after this. */
const leaseMs = 6_000;

export interface Engines {
  readonly leader: Process;
  /** Memory of the leader that `fill` takes up. */
  bytesOf(fill: () => Promise<unknown>): Promise<number>;
  /** Another engine, which has read the log. */
  standby(): Promise<Process>;
  /** Starts another one once nobody has the lease; when it started, and when it leads. */
  cold(): Promise<{ readonly startedAt: number; readonly leadsAt: number }>;
}

/** `full` and `brief`: how many runs the engine is filled with. */
export const killedEngine = (
  about: Pick<Scenario, "name" | "title" | "about" | "metrics">,
  { full, brief }: { readonly full: number; readonly brief: number },
  measure: (cell: Cell, engines: Engines, count: number) => Promise<Values>,
): Scenario => ({
  ...about,
  only: "natchet-apart",
  isLong: true,
  measure: (cell, { once }) => measure(cell, enginesOf(cell), once ? brief : full),
});

function enginesOf(cell: Cell): Engines {
  const { engine: leader, startEngine } = cell.stand as NatchetStand & { readonly engine: Process };
  return {
    leader,
    bytesOf: async (fill) => {
      await untilQuiet(leader.pid);
      const before = residentBytes(leader.pid);
      await fill();
      await untilQuiet(leader.pid);
      return residentBytes(leader.pid) - before;
    },
    standby: async () => {
      const standby = startEngine();
      await untilQuiet(standby.pid);
      return standby;
    },
    cold: async () => {
      await sleep(leaseMs);
      const startedAt = now();
      return { startedAt, leadsAt: (await startEngine().next("leading")).at };
    },
  };
}

/** Until a process has nothing left to do. */
async function untilQuiet(pid: number): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY; ; await sleep(500)) {
    const used = cpuTimeMs(pid);
    if (used - before <= 20) return;
    before = used;
  }
}
