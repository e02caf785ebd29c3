// The loads that most users have: a steady rate, far below the maximum.
import type { Cell } from "../cell.ts";
import { cpuARun, type Metric, type Scenario, type Values } from "../scenario.ts";
import type { Quantiles } from "../statistics.ts";

const rates = [100, 1_500, 5_000];
const parts = ["total", "server", "engine", "worker", "client"];

const metricsOf = (rate: number): readonly Metric[] => {
  const load = `${rate.toLocaleString("en")} runs/s`;
  return [
    { key: `${rate}.p50`, label: `${load}: run → result, p50`, unit: "ms", digits: 2 },
    { key: `${rate}.p99`, label: `${load}: run → result, p99`, unit: "ms", digits: 2 },
    { key: `${rate}.cpu`, label: `${load}: CPU of all processes`, unit: "µs a run", digits: 0 },
    ...parts.map((part) => ({
      key: `${rate}.cpu.${part}`,
      label: part === "total" ? "all processes" : part,
      unit: "µs",
      digits: 0,
      group: `CPU µs a run at ${load}`,
    })),
  ];
};

export const steady: Scenario = {
  name: "steady",
  title: "a steady rate",
  isLong: true,
  about:
    "Single runs sent at a fixed rate for 20 seconds, each waited for, whether or not earlier ones have finished; two worker processes with 100 slots each and a handler that returns at once.",
  metrics: rates.flatMap(metricsOf),
  async measure(cell, { once }) {
    await cell.startWorkers(2);
    await cell.warmUp(once ? 200 : 2_000);
    const values: Values = {};
    for (const rate of rates) Object.assign(values, await measuredAt(cell, rate, once ? 1 : 20));
    return values;
  },
};

async function measuredAt(cell: Cell, rate: number, seconds: number): Promise<Values> {
  const count = rate * seconds;
  const before = cell.cpu();
  const { p50, p99 } = (await cell.tell("load", { rate, count })) as unknown as Quantiles;
  const cpu = cpuARun(before, cell.cpu(), count);
  await cell.settle();
  const named = Object.entries(cpu).map(([key, value]) => [`${rate}.${key}`, value]);
  return {
    [`${rate}.p50`]: p50,
    [`${rate}.p99`]: p99,
    [`${rate}.cpu`]: cpu["cpu.total"]!,
    ...Object.fromEntries(named),
  };
}
