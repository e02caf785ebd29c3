// From the call until its result, with one run at a time and under load.
import type { Cell } from "../cell.ts";
import type { Context, Metric, Scenario, Values } from "../scenario.ts";
import { type Quantiles, quantilesOf } from "../statistics.ts";

const metrics: readonly Metric[] = [
  { key: "p50", label: "run → result, p50", unit: "ms", digits: 2 },
  { key: "p99", label: "run → result, p99", unit: "ms", digits: 2 },
  { key: "p999", label: "run → result, p99.9", unit: "ms", digits: 2 },
  { key: "start.p50", label: "enqueue → start, p50", unit: "ms", digits: 2 },
  { key: "start.p99", label: "enqueue → start, p99", unit: "ms", digits: 2 },
];
const rate: Metric = { key: "rate", label: "load", unit: "runs/s", isGiven: true };
const seconds = (once: boolean) => (once ? 1 : 10);

export const latency: Scenario = {
  name: "latency",
  title: "latency, one run at a time",
  about:
    "One client with one call at a time, each until its result (graphile-worker: until its job is stored), and two worker processes that are otherwise idle.",
  metrics,
  measure: (cell, context) => measured(cell, context, "latency", { count: context.once ? 100 : 5_000 }),
};

export const latencyOwn: Scenario = {
  name: "latency-own",
  title: "latency at half of the system's own maximum",
  isLong: true,
  about:
    "Runs sent at a fixed rate, whether or not earlier ones have finished: half of the rate that the same system reached in “run and wait for results”. What the timer of the load generator is late by beyond 2 ms counts as latency.",
  metrics: [rate, ...metrics],
  needs: "results",
  measure: (cell, context) => underLoad(cell, context, (context.measured("results", context.system, "rate") ?? 0) / 2),
};

export const latencyEqual: Scenario = {
  name: "latency-equal",
  title: "latency at the same load for all",
  isLong: true,
  about: "As before, at one rate for all systems: half of what the slowest of them reached.",
  metrics: [rate, ...metrics],
  needs: "results",
  measure(cell, context) {
    const rates = context.systems.map(
      (system) => context.measured("results", system, "rate") ?? Number.POSITIVE_INFINITY,
    );
    return underLoad(cell, context, Math.min(...rates) / 2);
  },
};

async function underLoad(cell: Cell, context: Context, load: number): Promise<Values> {
  const whole = Math.max(1, Math.floor(load));
  return {
    rate: whole,
    ...(await measured(cell, context, "load", { rate: whole, count: whole * seconds(context.once) })),
  };
}

async function measured(cell: Cell, { once }: Context, measurement: string, order: object): Promise<Values> {
  await cell.startWorkers(2);
  await cell.warmUp(once ? 200 : 2_000);
  const line = (await cell.tell(measurement, order)) as unknown as Quantiles;
  await cell.settle();
  const start = quantilesOf(await cell.latencies());
  const values: Values = { "start.p50": start.p50, "start.p99": start.p99 };
  if (cell.system.offersResults) for (const key of ["p50", "p99", "p999"] as const) values[key] = line[key];
  return values;
}
