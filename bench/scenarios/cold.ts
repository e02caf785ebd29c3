// A worker process that has just been started, as after a deployment: nothing in it has been executed before.
import { now } from "../adapter.ts";
import { cpuARun, cpuMetrics, runsPerSecond, type Scenario } from "../scenario.ts";
import { sleep } from "../servers/server.ts";

/** What the client has just stored is at rest by then. */
const restMs = 500;

export const cold: Scenario = {
  name: "cold",
  title: "the first 20,000 runs of a worker process",
  isOptional: true,
  about:
    "20,000 runs are waiting when one worker process is started: until its first run begins, and until the store knows that all are finished. The rate is that from the first run to there.",
  metrics: [
    { key: "first", label: "start → first run begins", unit: "ms" },
    { key: "all", label: "start → all are finished", unit: "ms" },
    runsPerSecond("rate", "from the first run on"),
    ...cpuMetrics,
  ],
  async measure(cell, { once }) {
    const count = cell.shareOf(once ? 2_000 : 20_000);
    await cell.startWorkers(1);
    await cell.warmUp(once ? 200 : 2_000);
    await cell.stopWorkers();
    await cell.tell("bulk", { count });
    await sleep(restMs);
    const before = { ...cell.cpu(), worker: 0 };
    const startedAt = now();
    await cell.startWorkers(1);
    const { firstAt, endAt } = await cell.settle();
    const cpu = cpuARun(before, cell.cpu(), count);
    return { first: firstAt - startedAt, all: endAt - startedAt, rate: (count * 1_000) / (endAt - firstAt), ...cpu };
  },
};
