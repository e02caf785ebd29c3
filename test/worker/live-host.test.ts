// What becomes of ended attempts: their outcomes share entries.
import assert from "node:assert/strict";
import { Effect } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask } from "../../src/domain/task.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import { decodeOutcomeEntry } from "../../src/wire/outcome-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { Ahead } from "../../src/worker/ahead.ts";
import { Executing } from "../../src/worker/executing.ts";
import { HeldRuns } from "../../src/worker/held-runs.ts";
import { LiveHost } from "../../src/worker/live-host.ts";
import { PlainAttempt } from "../../src/worker/plain-attempt.ts";
import type { Self } from "../../src/worker/self.ts";
import { SlotPool } from "../../src/worker/slot-pool.ts";
import { test } from "../support/harness.ts";

/** A worker whose attempts end when the test says so. */
function sceneOf(count: number) {
  const entries: number[] = [];
  const append = async (_subject: string, entry: Uint8Array) => {
    entries.push(decodeOutcomeEntry(entry).outcomes.length);
    return { ok: true, seq: entries.length };
  };
  const gates: (() => void)[] = [];
  const task = { ...checkTask("t"), handler: () => new Promise<void>((resolve) => gates.push(resolve)) };
  const executing = new Executing(silentLog);
  const slots = new SlotPool(count);
  const self = {
    ...{ id: "w", name: "w", log: silentLog, subjects: new Subjects("test"), publisher: { append } },
    ...{ executing, held: new HeldRuns(), slots, tasks: new Map([["t", task]]) },
    ahead: new Ahead(slots, executing, [task]),
    link: { maxPayload: 1_048_576, isConnected: () => true, clock: { nowAfter: () => 1 } },
  } as unknown as Self;
  const host = new LiveHost({ self, presence: { beat: async () => {}, beatSoon: () => {} }, graceMs: 10 });
  const attempts = Array.from({ length: count }, (_, n) => {
    const times = { priority: 1, turn: 1, attempt: 1, origin: n + 1, createdAt: 1, waiter: "", follows: false };
    const attempt = new PlainAttempt(host, { key: `t/${n}`, ...times, extra: noBytes, input: noBytes }, task);
    self.held.add(attempt);
    executing.add(attempt);
    return attempt;
  });
  executing.begin(attempts);
  /** As timers do it: the microtasks of each run before the next one fires. */
  const end = async (many: number) => {
    for (const gate of gates.splice(0, many)) {
      gate();
      for (let n = 0; n < 20; n++) await undefined;
    }
  };
  return { entries, end, stored: () => host.stored(), ended: Effect.runPromise(executing.ended) };
}

test("live host: what timers end in one turn of the event loop is one entry, however few attempts are left meanwhile", async () => {
  const { entries, end, stored } = sceneOf(100);
  await end(99);
  assert.deepEqual(entries, []);
  await new Promise(setImmediate);
  await stored();
  assert.deepEqual(entries, [99]);
});

test("live host: the last verdict is stored at once, and what waits with it", async () => {
  const { entries, end, ended } = sceneOf(3);
  await end(3);
  assert.deepEqual(entries, [3]);
  await ended;
});
