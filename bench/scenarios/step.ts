// What one step of a durable run takes, beside what its server needs at least, and whether a long run slows down.

import type { Process } from "../process.ts";
import type { Metric, Scenario, Values } from "../scenario.ts";
import { inProbes } from "./in-probes.ts";

const ms = (key: string, label: string): Metric => ({ key, label, unit: "ms", digits: 3 });
const times = (key: string, label: string): Metric => ({ key, label, unit: "times", digits: 2 });

export const step: Scenario = {
  name: "durable-step",
  set: "durable",
  title: "a durable step, alone",
  about:
    "One run whose steps return a small object; in turns with them the same process publishes 100 bytes by a plain client and awaits each acknowledgement. Then steps 10 to 59 of new runs in turns with 50 steps of a run that has 10,000 behind it.",
  metrics: [
    ms("step", "step, p50"),
    ms("raw", "awaited publish, p50"),
    times("ratio", "step ÷ awaited publish"),
    ms("early", "step 10, p50"),
    ms("late", "step 10,000, p50"),
    times("growth", "step 10,000 ÷ step 10"),
  ],
  only: "natchet",
  isLong: true,
  measure: (cell, { once }) => inProbes(cell, (probes) => measured(probes, once)),
};

async function measured(probes: Process, once: boolean): Promise<Values> {
  const blocks = once ? 5 : 20;
  await probes.ask("steps", { blocks: 5, size: 100 });
  const { step, raw } = await probes.ask("steps", { blocks, size: 100 });
  const { early, late } = await probes.ask("many", { before: 10_000, blocks: once ? 10 : 40, size: 50 });
  return { step, raw, ratio: step / raw, early, late, growth: late / early };
}
