// Runs beyond the slots of a worker: when it asks for them, when they begin, and what becomes of them if nothing ends.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask, type TaskOptions } from "../../src/domain/task.ts";
import type { Handler, WorkerTask } from "../../src/domain/worker.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { Ahead } from "../../src/worker/ahead.ts";
import type { AttemptHost } from "../../src/worker/attempt.ts";
import { Deadlines } from "../../src/worker/deadline.ts";
import { Executing } from "../../src/worker/executing.ts";
import { HeldRuns } from "../../src/worker/held-runs.ts";
import { Intake } from "../../src/worker/intake.ts";
import { SlotPool } from "../../src/worker/slot-pool.ts";
import { test } from "../support/harness.ts";

const slots = 2;

/** A worker of two slots whose turns take as long as `now` says. */
function scene(handler: Handler, { options = {}, now = () => 0 }: { options?: TaskOptions; now?: () => number } = {}) {
  const said: string[] = [];
  const task: WorkerTask = { ...checkTask("t", options), handler };
  const pool = new SlotPool(slots);
  const executing = new Executing(silentLog);
  const ahead = new Ahead(pool, executing, [task], now);
  const host: AttemptHost = {
    ...{ worker: "w", graceMs: 10, nowAfter: () => 1, deadlines: new Deadlines() },
    voiceFor: () => ({ ...silentLog, progress: () => {}, stream: async () => {}, end: async () => {} }),
    onEnd: () => ahead.startNext(),
    onVerdict: ({ runId }, { kind }) => said.push(`${kind} ${runId}`),
  };
  const intake = new Intake({
    ...{ tasks: new Map([["t", task]]), slots: pool, held: new HeldRuns(), host, executing, ahead },
    leader: { newest: 1, refusal: () => undefined },
  });
  let last = 0;
  const times = { priority: 1, turn: 1, attempt: 1, createdAt: 1, waiter: "", follows: false };
  /** Assigns so many runs. Returns the indices of those that are refused. */
  const give = (count: number) => {
    const assignments = Array.from({ length: count }, () => {
      last += 1;
      return { ...times, key: `t/${last}`, origin: last, extra: noBytes, input: jsonBytes(last) };
    });
    return intake.accept({ epoch: 1, assignments }, setImmediate).refused;
  };
  /** As long as it takes to begin what was given, and to judge it. */
  const turns = async () => {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
  };
  return { said, give, turns, ahead, executing };
}

test("ahead: a worker asks for three runs a slot once two a slot have ended in the turn in which they began", async () => {
  const { ahead, give, turns } = scene(async () => {});
  give(2);
  await turns();
  assert.equal(ahead.credit(100), 0);
  give(2);
  await turns();
  assert.equal(ahead.credit(100), 6);
  assert.equal(ahead.credit(100_000), 0); // large ones stay elsewhere
});

test("ahead: nothing is asked for after code that waits for something, or takes long", async () => {
  const gate = Promise.withResolvers<void>();
  const waiting = scene((input) => (input === 5 ? gate.promise : undefined));
  for (let message = 0; message < 3; message++) {
    waiting.give(2);
    await waiting.turns();
  }
  assert.equal(waiting.ahead.credit(100), 0);
  gate.resolve();
  let now = 0;
  const busy = () => {
    now += 11;
  };
  const slow = scene(busy, { now: () => now });
  for (let message = 0; message < 3; message++) {
    slow.give(2);
    await slow.turns();
  }
  assert.equal(slow.ahead.credit(100), 0);
});

test("ahead: a worker whose tasks have limits takes nothing beyond its slots", async () => {
  const { ahead, give, turns } = scene(() => {}, { options: { concurrency: 5 } });
  assert.deepEqual(give(3), [2]);
  await turns();
  give(2);
  await turns();
  assert.equal(ahead.credit(100), 0);
});

test("ahead: what is beyond the slots begins as they become free, in order, and never more at a time than there are slots", async () => {
  const executing = new Set<unknown>();
  let most = 0;
  const begun: unknown[] = [];
  const { said, give, turns } = scene(async (input) => {
    begun.push(input);
    executing.add(input);
    most = Math.max(most, executing.size);
    await Promise.resolve();
    executing.delete(input);
  });
  assert.deepEqual(give(9), [8]); // six beyond the two slots
  await turns();
  const all = [1, 2, 3, 4, 5, 6, 7, 8];
  assert.deepEqual([begun, most], [all, 2]);
  assert.deepEqual(
    said.toSorted(),
    all.map((n) => `completed ${n}`),
  );
});

test("ahead: what would wait behind code that has not ended is given back, and its code never runs", async () => {
  const gate = Promise.withResolvers<void>();
  const begun: unknown[] = [];
  const { said, give, turns, executing } = scene((input) => {
    begun.push(input);
    return gate.promise;
  });
  assert.deepEqual(give(4), []);
  await turns();
  assert.deepEqual([begun, said, executing.size], [[1, 2], ["returned 3", "returned 4"], 2]);
  gate.resolve();
  await turns();
  assert.deepEqual(said.slice(2), ["completed 1", "completed 2"]);
});

test("ahead: what comes while the last message is judged is not given back: it begins a moment later", async () => {
  const { said, give, turns, ahead } = scene(async () => {});
  for (let message = 0; message < 3; message++) {
    give(8);
    await new Promise(setImmediate); // its code has run, and its judge comes with the next message
  }
  await turns();
  assert.equal(said.filter((one) => one.startsWith("completed")).length, said.length);
  assert.equal(ahead.credit(100), 6);
});

test("ahead: what waits is given back as soon as a turn of the event loop takes long, though code keeps ending", async () => {
  let now = 0;
  const busy = () => {
    now += 15;
  };
  const { said, give, turns } = scene(busy, { now: () => now });
  give(6);
  await turns();
  assert.equal(said.filter((one) => one.startsWith("completed")).length, 3);
  assert.equal(said.filter((one) => one.startsWith("returned")).length, 3);
});

test("ahead: a worker that drains gives back what has not begun", async () => {
  const { said, give, turns, ahead } = scene(async () => {});
  give(4);
  ahead.giveBack();
  await turns();
  assert.deepEqual(said, ["returned 3", "returned 4", "completed 1", "completed 2"]);
});
