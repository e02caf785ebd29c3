// What a system costs while it has nothing to do.
import type { Metric, Scenario, Values } from "../scenario.ts";
import { sleep } from "../servers/server.ts";

const metric = (key: string, label: string): Metric => ({ key, label, unit: "% of a core", digits: 2 });

export const idle: Scenario = {
  name: "idle",
  title: "idle",
  isLong: true,
  about: "CPU time over 20 seconds without a run: the servers, one worker process and one connected client.",
  metrics: [
    metric("total", "all processes"),
    metric("server", "server"),
    metric("engine", "engine"),
    metric("worker", "worker"),
    metric("client", "client"),
  ],
  async measure(cell, { once }) {
    const seconds = once ? 1 : 20;
    await cell.startWorkers(1);
    await cell.warmUp(once ? 100 : 1_000);
    if (!once) await sleep(2_000);
    const before = cell.cpu();
    await sleep(seconds * 1_000);
    const after = cell.cpu();
    const values: Values = { total: 0 };
    for (const [part, ms] of Object.entries(after)) {
      values[part] = (ms - before[part]!) / (seconds * 10);
      values["total"]! += values[part];
    }
    return values;
  },
};
