import assert from "node:assert/strict";
import { NewestEpoch } from "../../../src/worker/presence/newest-epoch.ts";
import { test } from "../../support/harness.ts";

const clock = () => {
  const time = { now: 1_000_000 };
  return { time, newest: new NewestEpoch(() => time.now) };
};

test("a new leader counts from the moment that it is heard of: nothing of an older one is taken any more", () => {
  const { newest } = clock();
  assert.equal(newest.follow(5), "newest");
  assert.equal(newest.overhear(6), true);
  assert.deepEqual([newest.value, newest.follow(5)], [6, false]);
  assert.deepEqual([newest.follow(6), newest.value], ["newest", 6]);
});

test("an epoch that nobody proves is given up after ten seconds, and the ones after it are not believed", () => {
  const { time, newest } = clock();
  newest.follow(5);
  for (let forged = 1_000; forged < 1_020; forged++) {
    newest.overhear(forged);
    time.now += 500;
  }
  assert.equal(newest.follow(5), "silent");
  assert.deepEqual([newest.overhear(5_000), newest.overhear(5_001), newest.value], [true, false, 5]);
  time.now += 1_000;
  assert.deepEqual([newest.overhear(5_002), newest.value], [true, 5]);
  newest.hear(6); // proven, or answered
  assert.equal(newest.value, 6);
});

test("a lease that was recreated counts anew: the leader of a proven epoch is left once it is silent", () => {
  const { time, newest } = clock();
  newest.follow(500);
  time.now += 5_000;
  newest.hear(500);
  time.now += 9_000;
  assert.equal(newest.follow(1), false);
  time.now += 1_000;
  assert.deepEqual([newest.follow(1), newest.overhear(2), newest.value], ["silent", true, 2]);
});
