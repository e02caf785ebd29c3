// How the rate grows with worker processes.
import { runsPerSecond, type Scenario } from "../scenario.ts";

const most = 4;
const counts = Array.from({ length: most }, (_, index) => index + 1);

export const workers: Scenario = {
  name: "workers",
  title: "drain by 1 to 4 worker processes",
  isLong: true,
  about: "A backlog of 30,000 runs, drained as above by 1, 2, 3 and 4 worker processes with 100 slots each.",
  metrics: counts.map((count) => runsPerSecond(String(count), count === 1 ? "1 worker" : `${count} workers`)),
  async measure(cell, { once }) {
    const count = cell.shareOf(once ? 2_000 : 30_000);
    await cell.startWorkers(1);
    await cell.warmUp(once ? 200 : 2_000);
    await cell.stopWorkers();
    const values: Record<string, number> = {};
    for (const processes of counts) {
      await cell.tell("bulk", { count });
      await cell.startWorkers(processes);
      const { firstAt, endAt } = await cell.settle();
      await cell.stopWorkers();
      values[String(processes)] = (count * 1_000) / (endAt - firstAt);
    }
    return values;
  },
};
