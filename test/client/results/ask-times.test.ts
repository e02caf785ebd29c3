import assert from "node:assert/strict";
import { type Asked, AskTimes } from "../../../src/client/results/ask-times.ts";
import { test } from "../../support/harness.ts";

test("what is removed is not due, what is restarted is due once, a thousand are due together", () => {
  const times = new AskTimes<Asked>();
  const make = (): Asked => ({ level: 0, dueAt: 0 });
  const all = Array.from({ length: 1_000 }, make);
  const removed = Array.from({ length: 1_000 }, make);
  for (const [at, asked] of all.entries()) {
    times.add(removed[at]!, 0);
    times.add(asked, 0);
  }
  for (const asked of removed) times.remove(asked);
  times.restart(all, 1_000);
  assert.deepEqual(times.takeDue(2_999), []);
  assert.deepEqual(new Set(times.takeDue(3_000)), new Set(all));
  assert.deepEqual(times.takeDue(6_999), []);
  assert.equal(times.takeDue(7_000).length, 1_000);
});

test("the pauses grow to a minute, and stay there", () => {
  const times = new AskTimes<Asked>();
  times.add({ level: 0, dueAt: 0 }, 0);
  const due: number[] = [];
  for (let second = 0; second < 300; second++) if (times.takeDue(second * 1_000).length > 0) due.push(second);
  assert.deepEqual(due, [2, 6, 14, 30, 62, 122, 182, 242]);
});
