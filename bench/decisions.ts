// bun run bench/decisions.ts: how many runs a second the scheduler decides about, without a server: as many as wait, over as many keys.
import { parseConcurrency } from "../src/domain/limits.ts";
import type { TaskPolicies } from "../src/domain/policies.ts";
import { createScheduler } from "../src/scheduler/scheduler.ts";
import { step } from "../src/scheduler/step.ts";

const slots = 1_000;
const decisions = 100_000;
const rounds = 5;

/** Keeps `queued` runs waiting while others are decided and completed. Answer: decisions a second */
function measure(queued: number, keys: number, policies: TaskPolicies | undefined): number {
  const state = createScheduler({ inputBudgetBytes: 1e9 });
  const now = Date.now();
  let seq = 0;
  const create = () => {
    const input = new TextEncoder().encode(`{"user":"u${seq % keys}"}`);
    const entry = {
      form: 0,
      priority: 1,
      createdAt: now,
      dueAt: 0,
      scheduleTimeoutMs: null,
      inbox: "",
      extra: undefined,
      input,
    } as const;
    step(state, { type: "entry", seq: ++seq, at: now, task: "t", id: String(seq), entry }, now);
  };
  step(state, { type: "lead", epoch: 1, knownWorkers: [] }, now);
  const task = {
    name: "t",
    timeoutMs: 1,
    scheduleTimeoutMs: null,
    priority: 1,
    retries: 0,
    inputSchema: null,
    outputSchema: null,
  };
  const tasks = [policies === undefined ? task : { ...task, policies }];
  const worker = {
    v: 2,
    id: "w",
    name: "w",
    slots,
    labels: {},
    runtime: "",
    version: "",
    quiet: false,
    tasks,
    executing: [],
  } as const;
  step(state, { type: "register", message: worker }, now);
  for (let i = 0; i < queued + slots; i++) create();
  /** Lets it decide, and acknowledges what it assigns: a worker that acknowledges nothing gets 1,000 runs at most. */
  const decide = () => {
    let runs = 0;
    for (const command of step(state, { type: "tick" }, now)) {
      if (command.type !== "assign") continue;
      runs += command.runs.length;
      step(state, { type: "assigned", id: "w", batch: command.batch, refused: [] }, now);
    }
    return runs;
  };
  decide();
  let decided = 0;
  const begun = performance.now();
  while (decided < decisions) {
    const done = state.workers.get("w")!.bookings().slice(0, 100);
    const outcomes = done.map(({ key, turn, origin }) => {
      return { kind: "completed", key, turn, origin, at: now, dueAt: 0, detail: undefined } as const;
    });
    step(state, { type: "outcomes", seq: ++seq, at: now, by: "worker", writer: "w", outcomes }, now);
    for (let i = 0; i < done.length; i++) create();
    decided += decide();
  }
  return decided / ((performance.now() - begun) / 1_000);
}

const byUser = { concurrency: parseConcurrency({ key: "input.user", max: 1 }, "bench") };
const stacked = { concurrency: parseConcurrency([{ key: "input.user", max: 1 }, { max: slots }], "bench") };
const cases: readonly [string, () => number][] = [
  ["no policy, 1,000 queued", () => measure(1_000, 10_000, undefined)],
  ["no policy, 100,000 queued", () => measure(100_000, 10_000, undefined)],
  ["a key limit, 1,000 queued", () => measure(1_000, 10_000, byUser)],
  ["a key limit, 100,000 queued", () => measure(100_000, 10_000, byUser)],
  ["two stacked limits, 1,000 queued", () => measure(1_000, 10_000, stacked)],
  ["two stacked limits, 100,000 queued", () => measure(100_000, 10_000, stacked)],
];
const results = cases.map(() => [] as number[]);
for (let round = 0; round < rounds; round++) {
  cases.forEach(([, run], index) => {
    results[index]!.push(run());
  });
}
cases.forEach(([name], index) => {
  const sorted = results[index]!.sort((a, b) => a - b);
  console.log(`${name.padEnd(36)} ${Math.round(sorted[rounds >> 1]! / 1_000)}k decisions/s`);
});
