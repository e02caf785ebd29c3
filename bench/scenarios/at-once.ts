// Enqueueing and executing at the same time: in bulk, and run by run with results.
import type { Cell } from "../cell.ts";
import { cpuARun, cpuMetrics, runsPerSecond, type Scenario } from "../scenario.ts";

export const atOnce: Scenario = {
  name: "at-once",
  title: "enqueue and execute at once",
  about:
    "One client enqueues in bulk (1,000 a call, two calls on their way) while two worker processes with 100 slots each execute; from the first call until the store knows that all are finished.",
  metrics: [runsPerSecond("rate", "enqueue + execute"), ...cpuMetrics],
  measure: (cell, { once }) => measured(cell, "bulk", once ? 5_000 : 100_000, 2, once),
};

/** Runs on their way at any time. */
export const inFlight = 1_000;

export const results: Scenario = {
  name: "results",
  title: "run and wait for results, 1,000 in flight",
  about:
    "One client enqueues run by run and waits for each result, 1,000 on their way at any time; two worker processes with 100 slots each. graphile-worker offers no results: there each call waits until its job is stored.",
  metrics: [runsPerSecond("rate", "run → result"), ...cpuMetrics],
  measure: (cell, { once }) => measured(cell, "results", once ? 3_000 : 30_000, inFlight, once),
};

async function measured(cell: Cell, measurement: string, all: number, lanes: number, once: boolean) {
  const count = cell.shareOf(all);
  await cell.startWorkers(2);
  await cell.warmUp(once ? 200 : 2_000);
  const before = cell.cpu();
  const { startedAt } = await cell.tell(measurement, { count, lanes });
  const { endAt } = await cell.settle();
  return { rate: (count * 1_000) / (endAt - startedAt), ...cpuARun(before, cell.cpu(), count) };
}
