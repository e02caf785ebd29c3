// Filling a queue in bulk, and draining it.
import { cpuARun, cpuMetrics, runsPerSecond, type Scenario } from "../scenario.ts";

export const backlog: Scenario = {
  name: "backlog",
  title: "fill and drain a backlog",
  about:
    "100,000 runs. Fill: one client, 1,000 runs a call, one call after the other, no worker. Drain: one worker process started after the fill, from the first run that begins until the store knows that all are finished.",
  metrics: [runsPerSecond("fill", "enqueue in bulk"), runsPerSecond("drain", "drain"), ...cpuMetrics],
  async measure(cell, { once }) {
    const count = cell.shareOf(once ? 5_000 : 100_000);
    await cell.startWorkers(1);
    await cell.warmUp(once ? 200 : 2_000);
    await cell.stopWorkers();
    const { ms } = await cell.tell("bulk", { count });
    const before = { ...cell.cpu(), worker: 0 };
    await cell.startWorkers(1);
    const { firstAt, endAt } = await cell.settle();
    const cpu = cpuARun(before, cell.cpu(), count);
    return { fill: (count * 1_000) / ms, drain: (count * 1_000) / (endAt - firstAt), ...cpu };
  },
};
