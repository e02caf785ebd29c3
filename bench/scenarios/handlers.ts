// Handlers as users write them: they wait for something, check what they get, fail, write lines.
import type { Cell } from "../cell.ts";
import { cpuARun, cpuMetrics, runsPerSecond, type Scenario } from "../scenario.ts";
import { retryDelayMs, type Workload } from "../workload.ts";

interface Kind {
  readonly name: string;
  readonly title: string;
  readonly says: string;
  readonly workload: Workload;
  readonly bytes?: number;
}

const waitMs = 10;

const kinds: readonly Kind[] = [
  {
    name: "wait",
    title: `a handler that waits ${waitMs} ms`,
    says: `Each run waits ${waitMs} ms.`,
    workload: { waitMs },
  },
  {
    name: "wait-log",
    title: `a handler that waits ${waitMs} ms, with the default log`,
    says: `Each run waits ${waitMs} ms, and the workers write the log that they write by default, to nowhere.`,
    workload: { waitMs, hasDefaultLog: true },
  },
  {
    name: "schema",
    title: "1 kB in and out, with a schema",
    says: "Input and output have 1 kB and are checked against a schema in natchet; BullMQ has none.",
    workload: { echoes: true, hasSchema: true },
    bytes: 1_000,
  },
  {
    name: "retries",
    title: "one run in five fails once",
    says: `It is retried after ${retryDelayMs} ms, and the workers write their default log, to nowhere.`,
    workload: { failOneIn: 5, hasDefaultLog: true },
  },
  { name: "lines", title: "three log lines a run", says: "Kept with the run in both systems.", workload: { lines: 3 } },
  {
    name: "tasks",
    title: "50 tasks",
    says: "50 queues in BullMQ; each call fills one of them.",
    workload: { tasks: 50 },
  },
  { name: "priorities", title: "three priorities", says: "Each call has another one.", workload: { priorities: 3 } },
];

export const handlers: readonly Scenario[] = kinds.map(({ name, title, says, workload, bytes = 100 }) => ({
  name,
  title,
  isLong: true,
  about: `${says} One client enqueues 100,000 runs in bulk (1,000 a call, two calls on their way) while two worker processes with 100 slots each execute; from the first call until the store knows that all are finished.`,
  metrics: [runsPerSecond("rate", "enqueue + execute"), ...cpuMetrics],
  workload,
  measure: (cell, { once }) => measured(cell, bytes, once ? 5_000 : 100_000, once),
}));

async function measured(cell: Cell, bytes: number, count: number, once: boolean) {
  await cell.startWorkers(2);
  await cell.warmUp(once ? 200 : 2_000);
  const before = cell.cpu();
  const { startedAt } = await cell.tell("bulk", { count, bytes, lanes: 2 });
  const { endAt } = await cell.settle();
  return { rate: (count * 1_000) / (endAt - startedAt), ...cpuARun(before, cell.cpu(), count) };
}
