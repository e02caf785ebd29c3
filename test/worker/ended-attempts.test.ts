// When a worker says to an engine of its process that code has ended.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask } from "../../src/domain/task.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import { Neighbours } from "../../src/wire/neighbours.ts";
import type { Attempt } from "../../src/worker/attempt.ts";
import { EndedAttempts } from "../../src/worker/ended-attempts.ts";
import { Executing } from "../../src/worker/executing.ts";
import { HeldRuns } from "../../src/worker/held-runs.ts";
import { SlotPool } from "../../src/worker/slot-pool.ts";
import { test } from "../support/harness.ts";

function sceneOf(slots: number, { mostUnits = 1, isConnected = true, hasEngine = true } = {}) {
  const told: string[] = [];
  const neighbours = new Neighbours();
  if (hasEngine)
    neighbours.onEnded = (worker, attempts) => told.push(`${worker}: ${attempts.map((a) => a.origin).join()}`);
  const held = new HeldRuns();
  const link = { isConnected: () => isConnected } as unknown as NatsLink;
  const tasks = new Map([["t", { ...checkTask("t", { slots: mostUnits }), handler: () => {} }]]);
  const runs = { slots: new SlotPool(slots), held, executing: new Executing(silentLog) };
  const ended = new EndedAttempts({ id: "w", link, neighbours, tasks, ...runs });
  /** Attempts whose code has ended, each in a microtask of its own, and whose outcomes are on their way. */
  const end = async (from: number, count: number) => {
    for (let origin = from; origin < from + count; origin++) {
      const times = { createdAt: 0, priority: 1, turn: 1, attempt: 1, waiter: "", follows: false };
      const assignment = { key: `t/${origin}`, origin, ...times, extra: noBytes, input: noBytes };
      held.add({ assignment } as unknown as Attempt);
      ended.add(assignment);
      await Promise.resolve();
    }
    await new Promise(setImmediate);
    return told.splice(0);
  };
  return { end };
}

test("those of one turn of the event loop are told together", async () => {
  const { end } = sceneOf(3);
  assert.deepEqual(await end(1, 3), ["w: 1,2,3"]);
  assert.deepEqual(await end(4, 1), ["w: 4"]);
});

test("nothing is told while there are free slots anyway, large runs counted as such", async () => {
  assert.deepEqual(await sceneOf(4).end(1, 3), []);
  assert.deepEqual(await sceneOf(4, { mostUnits: 2 }).end(1, 2), ["w: 1,2"]);
});

test("nothing is told without a connection, without an engine here, or with too many outcomes on their way", async () => {
  assert.deepEqual(await sceneOf(1, { isConnected: false }).end(1, 1), []);
  assert.deepEqual(await sceneOf(1, { hasEngine: false }).end(1, 1), []);
  const { end } = sceneOf(1);
  assert.equal((await end(1, 1_000)).length, 1);
  assert.deepEqual(await end(1_001, 1), []);
});
