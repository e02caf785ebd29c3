// What the server of natchet could do alone with the writes of the same runs, and how close natchet comes.
import { measureRawLimit, sampleSizes } from "../raw.ts";
import { runsPerSecond, type Scenario } from "../scenario.ts";

export const raw: Scenario = {
  name: "raw",
  title: "the raw limit of JetStream",
  about:
    "The entries of the same runs created one by one, pipelined, and for every 32 of them one append as large as their outcomes, by a plain client; the better of two measurements. No run can be cheaper.",
  metrics: [
    runsPerSecond("rate", "raw limit"),
    { key: "drain", label: "drain of a backlog", unit: "% of the raw limit" },
    { key: "at-once", label: "enqueue + execute", unit: "% of the raw limit" },
  ],
  only: "natchet",
  async measure(cell, { once, measured }) {
    await cell.startWorkers(1);
    await cell.warmUp(once ? 200 : 2_000);
    const { url } = cell.stand;
    const { entryBytes, outcomeBytes } = await sampleSizes(url);
    const limit = () => measureRawLimit(url, once ? 20_000 : 100_000, entryBytes, outcomeBytes);
    const rate = Math.max(await limit(), await limit());
    const part = (of: number | undefined) => (of === undefined ? Number.NaN : (of * 100) / rate);
    return {
      rate,
      drain: part(measured("backlog", "natchet", "drain")),
      "at-once": part(measured("at-once", "natchet", "rate")),
    };
  },
};
