// Enqueueing one run at a time.
import { runsPerSecond, type Scenario } from "../scenario.ts";

export const enqueue: Scenario = {
  name: "enqueue",
  title: "enqueue, one by one",
  about:
    "One client, one run after the other, each acknowledged by the store before the next; no worker runs meanwhile.",
  metrics: [runsPerSecond("rate", "enqueue")],
  async measure(cell, { once }) {
    const count = once ? 500 : 5_000;
    await cell.startWorkers(1);
    await cell.warmUp(once ? 200 : 2_000);
    await cell.stopWorkers();
    const { ms } = await cell.tell("singly", { count });
    await cell.startWorkers(1);
    await cell.settle();
    return { rate: (count * 1_000) / ms };
  },
};
