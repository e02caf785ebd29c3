// What a system costs while it has nothing to do.
import type { Metric, Scenario, Values } from "../scenario.ts";
import { sleep } from "../servers/server.ts";

const part = (key: string, label: string): Metric => ({
  key,
  label,
  unit: "%",
  digits: 2,
  group: "CPU of each process, % of a core",
});

export const idle: Scenario = {
  name: "idle",
  title: "idle",
  isLong: true,
  maxRounds: 1,
  about:
    "CPU time over 20 seconds without a run, from 40 seconds after the last one, when the collectors of the runtimes have calmed down: the servers, one worker process and one connected client.",
  metrics: [
    { key: "total", label: "CPU of all processes", unit: "% of a core", digits: 2 },
    part("server", "server"),
    part("engine", "engine"),
    part("worker", "worker"),
    part("client", "client"),
  ],
  async measure(cell, { once }) {
    const seconds = once ? 1 : 20;
    await cell.startWorkers(1);
    await cell.warmUp(once ? 100 : 1_000);
    if (!once) await sleep(40_000);
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
