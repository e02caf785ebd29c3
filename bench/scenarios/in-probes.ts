// Starts the processes whose durable methods time themselves, and has a client for their runs.
import { connect, type Natchet } from "../../src/mod.ts";
import type { Cell } from "../cell.ts";
import type { Probes } from "../probes.ts";
import { Process } from "../process.ts";

export async function startProbes(cell: Cell, ...args: string[]): Promise<Process> {
  const started = new Process("./probe-process.ts", [cell.stand.url, ...args]);
  await started.next("registered", 30_000);
  return started;
}

export async function inProbes<T>(cell: Cell, act: (probes: Process) => Promise<T>): Promise<T> {
  const started = await startProbes(cell);
  try {
    return await act(started);
  } finally {
    await started.end();
  }
}

/** With a client of their runs. */
export async function asClient<T>(
  cell: Cell,
  act: (tasks: ReturnType<typeof tasksOf>, natchet: Natchet) => Promise<T>,
): Promise<T> {
  const natchet = await connect({ url: cell.stand.url, log: "warn" });
  try {
    return await act(tasksOf(natchet), natchet);
  } finally {
    await natchet.close();
  }
}

const tasksOf = (natchet: Natchet) => natchet.tasks<Probes>();

/** Until so many runs of the task wait for something outside. */
export async function untilWaiting(natchet: Natchet, task: string, count: number): Promise<void> {
  for (;;) {
    const queue = (await natchet.queues()).find((each) => each.task === task);
    if (queue?.waiting === count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
