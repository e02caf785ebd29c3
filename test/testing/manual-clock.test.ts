import assert from "node:assert/strict";
import { manualClock } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

test("manual clock: what is due happens in the order of its times, those of one time in the order they were made", async () => {
  const clock = manualClock({ start: 0 });
  const seen: string[] = [];
  for (const [name, at] of [
    ["c", 30],
    ["a", 10],
    ["b", 20],
    ["b2", 20],
    ["d", 31],
  ] as const)
    clock.at(at, () => seen.push(`${name} ${clock.now()}`));
  clock.at(15, () => seen.push("never"))();
  await clock.advance(30);
  assert.deepEqual(seen, ["a 10", "b 20", "b2 20", "c 30"]);
  assert.deepEqual([clock.now(), clock.next], [30, 31]);
});

test("manual clock: what a callback plans within the time is done in the same advance, and its work is waited for", async () => {
  const clock = manualClock({ start: 0 });
  const seen: number[] = [];
  clock.at(10, async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    clock.at(clock.now() + 10, () => seen.push(clock.now()));
    clock.at(0, () => seen.push(clock.now()));
  });
  await clock.advance(100);
  assert.deepEqual([...seen, clock.now()], [10, 20, 100]);
});

test("manual clock: work that waits for a later time is not waited for longer than the patience", async () => {
  const clock = manualClock({ start: 0, patience: "50ms" });
  const seen: string[] = [];
  clock.at(10, async () => {
    await new Promise<void>((resolve) => clock.at(20, () => resolve()));
    seen.push(`woken at ${clock.now()}`);
  });
  await clock.advance(20);
  assert.deepEqual(seen, ["woken at 20"]);
});

test("manual clock: steps that are asked for together are made one after the other", async () => {
  const clock = manualClock({ start: 0 });
  const seen: number[] = [];
  for (const at of [5, 15]) clock.at(at, () => seen.push(clock.now()));
  await Promise.all([clock.advance(10), clock.advance(10)]);
  assert.deepEqual([seen, clock.now()], [[5, 15], 20]);
});

test("manual clock: it never goes back, and says what it takes", async () => {
  const clock = manualClock({ start: new Date("2030-01-01T00:00:00Z") });
  await assert.rejects(clock.advanceTo(0), /RangeError: advanceTo: 1970-.* has passed, the clock shows 2030-01-01/);
  await assert.rejects(clock.advance("soon" as never), /"soon" is not a valid duration/);
  await clock.advance("1d");
  assert.equal(new Date(clock.now()).toISOString(), "2030-01-02T00:00:00.000Z");
  assert.throws(
    () => manualClock({ start: Number.NaN }),
    /TypeError: manualClock: start: NaN is not a usable time.* for example/,
  );
});
