// What a worker takes of what is assigned to it, message by message.
import assert from "node:assert/strict";
import { Schema } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask, type TaskOptions } from "../../src/domain/task.ts";
import type { WorkerTask } from "../../src/domain/worker.ts";
import type { Assignment } from "../../src/wire/assignment.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import type { Attempt, AttemptHost } from "../../src/worker/attempt.ts";
import { Deadlines } from "../../src/worker/deadline.ts";
import { Executing } from "../../src/worker/executing.ts";
import { HeldRuns } from "../../src/worker/held-runs.ts";
import { Intake } from "../../src/worker/intake.ts";
import { SlotPool } from "../../src/worker/slot-pool.ts";
import type { Verdict } from "../../src/worker/verdict.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const frame = (n: number, follows: boolean): Assignment => ({
  ...{ key: `t/${n}`, priority: 1, turn: 1, attempt: 1, origin: n, createdAt: 1, waiter: "", follows },
  extra: noBytes,
  input: jsonBytes(n),
});

function scene(slots: number, inputs?: TaskOptions["input"]) {
  const calls: number[][] = [];
  const verdicts: string[] = [];
  const called = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const handler = async (given: number[]) => {
    calls.push(given);
    called.resolve();
    await gate.promise;
    return given;
  };
  const options = { batch: { size: 10, interval: "1s" }, ...(inputs && { input: inputs }) } as const;
  const task: WorkerTask = { ...checkTask("t", options), handler };
  const host: AttemptHost = {
    worker: "w",
    graceMs: 10,
    nowAfter: Date.now,
    deadlines: new Deadlines(),
    voiceFor: () => ({ ...silentLog, progress: () => {}, stream: async () => {}, end: async () => {} }),
    onVerdict: (attempt: Attempt, { kind }: Verdict) => {
      attempt.batch?.left(attempt.runId);
      verdicts.push(kind);
    },
  };
  const ledger = new SlotPool(slots);
  const intake = new Intake({
    tasks: new Map([["t", task]]),
    slots: ledger,
    held: new HeldRuns(),
    host,
    executing: new Executing(silentLog),
    leader: { newest: 1, refusal: () => undefined },
  });
  /** Takes all that are free for a moment. */
  const free = () => {
    const holds = Array.from({ length: slots }, () => ledger.take(1)).filter((hold) => hold !== undefined);
    for (const hold of holds) hold.letGo();
    return holds.length;
  };
  const give = (numbers: number[], { goesOn = false, continues = false, epoch = 1 } = {}) =>
    intake.accept({ epoch, assignments: numbers.map((n, i) => frame(n, continues || i > 0)), goesOn }, (execute) =>
      execute(),
    ).refused;
  return { calls, verdicts, free, give, called: called.promise, finish: gate.resolve };
}

test("intake: a batch that travels in three messages is one call in one slot", async () => {
  const { calls, free, give, finish } = scene(1);
  finish();
  assert.deepEqual(give([1, 2], { goesOn: true }), []);
  assert.deepEqual(give([3], { goesOn: true, continues: true }), []);
  assert.deepEqual([calls, free()], [[], 0]);
  assert.deepEqual(give([4, 5], { continues: true }), []);
  await waitFor(() => calls.length > 0, 20_000, "the call");
  assert.deepEqual(calls, [[1, 2, 3, 4, 5]]);
  await waitFor(() => free() === 1, 20_000, "the slot to be free");
});

test("intake: the rest of a batch whose first part was refused, or never came, is refused", () => {
  const { free, give } = scene(1);
  assert.deepEqual(give([1, 2], { continues: true }), [0, 1]);
  assert.deepEqual(give([3]), []);
  assert.deepEqual(give([4, 5], { goesOn: true }), [0, 1]);
  assert.deepEqual(give([6], { continues: true }), [0]);
  assert.equal(free(), 0);
});

test("intake: a batch whose rest does not come is given back, and never called", async () => {
  const { calls, verdicts, free, give } = scene(2);
  give([1, 2], { goesOn: true });
  give([3], { epoch: 2, continues: true }); // of another leader
  await waitFor(() => verdicts.length === 2, 20_000, "the verdicts");
  give([4], { goesOn: true });
  await waitFor(() => verdicts.length === 3, 10_000, "the time to be over");
  assert.deepEqual([calls, verdicts, free()], [[], ["returned", "returned", "returned"], 2]);
});

test("intake: the slot of a batch is held until its last member has ended, also when its first was no member", async () => {
  const { calls, verdicts, free, give, called, finish } = scene(1, Schema.toStandardSchemaV1(Schema.Literals([2, 3])));
  give([1, 2, 3]);
  await called;
  assert.deepEqual([calls, verdicts, free()], [[[2, 3]], ["failed"], 0]);
  assert.deepEqual(give([4]), [0]);
  finish();
  await waitFor(() => free() === 1, 20_000, "the slot to be free");
  assert.deepEqual(verdicts, ["failed", "completed", "completed"]);
});
