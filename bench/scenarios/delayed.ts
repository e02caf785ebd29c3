// Many runs that are due at the same moment.
import { now } from "../adapter.ts";
import type { Scenario } from "../scenario.ts";
import { quantilesOf } from "../statistics.ts";

/** Slow enough for every system to store them before they are due. */
const enqueuedASecond = 2_500;

export const delayed: Scenario = {
  name: "delayed",
  title: "50,000 delayed runs, all due at one moment",
  about:
    "Enqueued in bulk and due at the same moment some seconds later, with two worker processes waiting; how much later than due the runs began.",
  metrics: [
    { key: "p50", label: "late by, p50", unit: "ms" },
    { key: "p99", label: "late by, p99", unit: "ms" },
    { key: "last", label: "due → last began", unit: "ms" },
  ],
  async measure(cell, { once }) {
    const count = once ? 2_000 : 50_000;
    await cell.startWorkers(2);
    await cell.warmUp(once ? 200 : 2_000);
    const due = Math.ceil(now() + (once ? 500 : 3_000) + (count * 1_000) / enqueuedASecond);
    const { startedAt, ms } = await cell.tell("delayed", { count, due });
    if (startedAt + ms > due) throw new Error("the delayed runs were due before all of them were stored");
    await cell.settle();
    const late = quantilesOf(await cell.latencies());
    return { p50: late.p50, p99: late.p99, last: late.max };
  },
};
