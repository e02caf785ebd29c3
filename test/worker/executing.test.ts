// The attempts of a worker from the moment they are accepted until their code has ended.
import assert from "node:assert/strict";
import { Effect } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask } from "../../src/domain/task.ts";
import type { Handler } from "../../src/domain/worker.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import type { Attempt, AttemptHost } from "../../src/worker/attempt.ts";
import { Deadlines } from "../../src/worker/deadline.ts";
import { Executing } from "../../src/worker/executing.ts";
import { PlainAttempt } from "../../src/worker/plain-attempt.ts";
import { SlotPool } from "../../src/worker/slot-pool.ts";
import { test } from "../support/harness.ts";

function scene(handler: Handler, onVerdict?: () => void) {
  const said: string[] = [];
  const slots = new SlotPool(1);
  const hold = slots.take(1)!;
  const host: AttemptHost = {
    ...{ worker: "w", graceMs: 10, nowAfter: () => 1, deadlines: new Deadlines() },
    voiceFor: () => ({ ...silentLog, progress: () => {}, stream: async () => {}, end: async () => {} }),
    onBegin: () => said.push("begins"),
    onEnd: () => {
      const free = slots.take(1);
      free?.letGo();
      said.push(free === undefined && !attempt.isSlotless ? "ended in its slot" : "ended");
    },
    onVerdict: onVerdict ?? ((_, { kind }) => said.push(kind)),
  };
  const times = { priority: 1, turn: 1, attempt: 1, origin: 1, createdAt: 1, waiter: "", follows: false };
  const assignment = { key: "t/1", ...times, extra: noBytes, input: noBytes };
  const attempt: Attempt = new PlainAttempt(host, assignment, { ...checkTask("t"), handler }, undefined, hold);
  const executing = new Executing({ ...silentLog, error: (message) => said.push(message) });
  executing.add(attempt);
  return { said, slots, attempt, executing };
}

test("executing: an attempt holds its slot from when it is accepted until its code has ended", async () => {
  const gate = Promise.withResolvers<void>();
  const { said, slots, attempt, executing } = scene(() => gate.promise);
  assert.deepEqual([executing.size, slots.take(1), said], [1, undefined, []]);
  executing.begin([attempt]);
  assert.deepEqual([executing.size, slots.take(1), said], [1, undefined, ["begins"]]);
  gate.resolve();
  await Effect.runPromise(executing.ended);
  assert.deepEqual([executing.size, said], [0, ["begins", "completed", "ended"]]);
});

test("executing: what is stopped before it begins is given back, and its code never runs", async () => {
  let calls = 0;
  const { said, executing, attempt } = scene(() => ++calls);
  executing.stop();
  executing.begin([attempt]);
  assert.deepEqual([calls, executing.size, said], [0, 0, ["returned", "ended"]]);
});

test("executing: code that is stopped keeps its slot until it has ended", async () => {
  const gate = Promise.withResolvers<void>();
  const { said, executing, attempt, slots } = scene((_, ctx) => gate.promise.then(() => ctx.signal.throwIfAborted()));
  executing.begin([attempt]);
  executing.stop();
  assert.deepEqual([attempt.signal.aborted, executing.size, slots.take(1)], [true, 1, undefined]);
  gate.resolve();
  await Effect.runPromise(executing.ended);
  assert.deepEqual([executing.size, said], [0, ["begins", "returned", "ended"]]);
});

test("executing: code that goes on without its slot is still waited for, and its slot is given back once", async () => {
  const gate = Promise.withResolvers<void>();
  const { executing, attempt, slots } = scene((_, ctx) => {
    ctx.releaseSlot();
    ctx.releaseSlot();
    return gate.promise;
  });
  executing.begin([attempt]);
  const other = slots.take(1)!;
  assert.deepEqual([executing.size, slots.take(1)], [1, undefined]);
  gate.resolve();
  await Effect.runPromise(executing.ended);
  assert.equal(slots.take(1), undefined);
  other.letGo();
  assert.ok(slots.take(1));
});

test("executing: a fault on the way to a verdict is told, and keeps no slot and no other attempt", async () => {
  const { said, executing, attempt } = scene(
    () => Promise.reject(new Error("no")),
    () => {
      throw new Error("broken");
    },
  );
  executing.begin([attempt]);
  await Effect.runPromise(executing.ended);
  assert.deepEqual(said, ["begins", "an attempt ended abnormally", "ended"]);
});
