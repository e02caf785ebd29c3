// Small, larger and large payloads.
import { runsPerSecond, type Scenario } from "../scenario.ts";

const cases = [
  { key: "100", label: "100 B", bytes: 100, count: 30_000, perCall: 1_000 },
  { key: "10k", label: "10 kB", bytes: 10_000, count: 10_000, perCall: 100 },
  { key: "500k", label: "500 kB", bytes: 500_000, count: 500, perCall: 10 },
];

export const payloads: Scenario = {
  name: "payloads",
  title: "payloads",
  about:
    "Enqueued in bulk and executed at once, as above: 30,000 runs of 100 B (1,000 a call), 10,000 of 10 kB (100 a call), 500 of 500 kB (10 a call).",
  metrics: cases.map(({ key, label }) => runsPerSecond(key, label)),
  async measure(cell, { once }) {
    await cell.startWorkers(2);
    await cell.warmUp(once ? 200 : 2_000);
    const values: Record<string, number> = {};
    for (const { key, bytes, count, perCall } of cases) {
      const fewer = cell.shareOf(once ? Math.ceil(count / 25) : count);
      const { startedAt } = await cell.tell("bulk", { count: fewer, bytes, perCall, lanes: 2 });
      const { endAt } = await cell.settle();
      values[key] = (fewer * 1_000) / (endAt - startedAt);
    }
    return values;
  },
};
