// Durable runs of some steps, one after the other in each: how many steps a second, with so many runs at a time.
import type { Cell } from "../cell.ts";
import { cpuARun, cpuMetrics, type Metric, type Scenario, type Values } from "../scenario.ts";
import { quantilesOf } from "../statistics.ts";

interface Kind {
  readonly steps: number;
  readonly atOnce: number;
  readonly runs: number;
  readonly only?: string;
}

const kinds: readonly Kind[] = [
  { steps: 3, atOnce: 1, runs: 2_000 },
  { steps: 3, atOnce: 100, runs: 10_000 },
  { steps: 3, atOnce: 1_000, runs: 20_000 },
  { steps: 100, atOnce: 100, runs: 1_500, only: "natchet" },
  { steps: 100, atOnce: 1_000, runs: 3_000, only: "natchet" },
];

const metrics: readonly Metric[] = [
  { key: "rate", label: "steps", unit: "steps/s" },
  { key: "runs", label: "whole runs", unit: "runs/s" },
  { key: "p50", label: "call → last step, p50", unit: "ms", digits: 2 },
  ...cpuMetrics.map((metric) => ({ ...metric, group: "CPU µs a step" })),
];

export const steps: readonly Scenario[] = kinds.map(({ steps, atOnce, runs, only }) => ({
  name: `durable-${steps}x${atOnce}`,
  set: "durable",
  title: `durable runs of ${steps} steps, ${named(atOnce)} at a time`,
  about: `Each step returns a small object, and is stored before the next one begins. One client runs ${runs.toLocaleString("en")} of them and waits for each result, ${named(atOnce)} at a time; one worker process with ${Math.max(100, atOnce).toLocaleString("en")} slots. Without what the run itself costs where a run has 100 steps.`,
  metrics,
  isLong: true,
  workload: { steps, slots: Math.max(100, atOnce) },
  ...(only !== undefined && { only }),
  measure: (cell, { once }) => measured(cell, steps, atOnce, once ? Math.max(atOnce, runs / 20) : cell.shareOf(runs)),
}));

function named(atOnce: number): string {
  return atOnce === 1 ? "one" : atOnce.toLocaleString("en");
}

async function measured(cell: Cell, steps: number, atOnce: number, runs: number): Promise<Values> {
  await cell.startWorkers(1);
  await cell.tell("results", { count: Math.ceil(runs / 10), lanes: atOnce });
  await cell.settle();
  await cell.reset();
  const before = cell.cpu();
  const { ms } = await cell.tell("results", { count: runs, lanes: atOnce });
  const cpu = cpuARun(before, cell.cpu(), runs * steps);
  const { p50 } = quantilesOf(await cell.latencies());
  return { rate: (runs * steps * 1_000) / ms, runs: (runs * 1_000) / ms, p50, ...cpu };
}
