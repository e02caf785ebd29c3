// What a worker takes of what is assigned to it, message by message.
import assert from "node:assert/strict";
import { Effect } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { defineTask } from "../../src/domain/task.ts";
import type { WorkerTask } from "../../src/domain/worker.ts";
import type { Assignment } from "../../src/wire/assignment.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { Attempt, type AttemptHost, type Verdict } from "../../src/worker/attempt.ts";
import { Deadlines } from "../../src/worker/deadline.ts";
import { HeldRuns } from "../../src/worker/held-runs.ts";
import { Intake } from "../../src/worker/intake.ts";
import { Slots } from "../../src/worker/slots.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const frame = (n: number, follows: boolean): Assignment => ({
  ...{ key: `t/${n}`, priority: 1, turn: 1, attempt: 1, origin: n, createdAt: 1, waiter: "", follows },
  extra: noBytes,
  input: jsonBytes(n),
});

function scene(slots: number) {
  const calls: number[][] = [];
  const verdicts: string[] = [];
  const handler = (inputs: number[]) => {
    calls.push(inputs);
    return inputs;
  };
  const task: WorkerTask = { ...defineTask("t", { batch: { size: 10, interval: "1s" } }), handler };
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
  const ledger = new Slots(slots);
  const intake = new Intake({
    tasks: new Map([["t", task]]),
    slots: ledger,
    held: new HeldRuns(),
    make: (assignment, executed, batch) => new Attempt(host, assignment, executed, batch),
    execute: (started) => {
      for (const { run } of started) Effect.runFork(run);
    },
  });
  const give = (numbers: number[], { goesOn = false, continues = false, epoch = 1 } = {}) =>
    intake.accept({ epoch, assignments: numbers.map((n, i) => frame(n, continues || i > 0)), goesOn }, (execute) =>
      execute(),
    ).refused;
  return { calls, verdicts, ledger, give };
}

test("intake: a batch that travels in three messages is one call in one slot", async () => {
  const { calls, ledger, give } = scene(1);
  assert.deepEqual(give([1, 2], { goesOn: true }), []);
  assert.deepEqual(give([3], { goesOn: true, continues: true }), []);
  assert.deepEqual([calls, ledger.taken], [[], 1]);
  assert.deepEqual(give([4, 5], { continues: true }), []);
  await waitFor(() => calls.length > 0, 5_000, "the call");
  assert.deepEqual(calls, [[1, 2, 3, 4, 5]]);
  await waitFor(() => ledger.taken === 0, 5_000, "the slot to be free");
});

test("intake: the rest of a batch whose first part was refused, or never came, is refused", () => {
  const { ledger, give } = scene(1);
  assert.deepEqual(give([1, 2], { continues: true }), [0, 1]);
  assert.deepEqual(give([3]), []);
  assert.deepEqual(give([4, 5], { goesOn: true }), [0, 1]);
  assert.deepEqual(give([6], { continues: true }), [0]);
  assert.equal(ledger.taken, 1);
});

test("intake: a batch whose rest does not come is given back, and never called", async () => {
  const { calls, verdicts, ledger, give } = scene(2);
  give([1, 2], { goesOn: true });
  give([3], { epoch: 2, continues: true }); // of another leader
  await waitFor(() => verdicts.length === 2, 5_000, "the verdicts");
  give([4], { goesOn: true });
  await waitFor(() => verdicts.length === 3, 10_000, "the time to be over");
  assert.deepEqual([calls, verdicts, ledger.taken], [[], ["returned", "returned", "returned"], 0]);
});
