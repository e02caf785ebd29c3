// What a worker believes of its leader, by a clock that the test sets.
import assert from "node:assert/strict";
import { Lifeline } from "../../../src/worker/presence/lifeline.ts";
import { test } from "../../support/harness.ts";

function lifelineAt(start: number) {
  let now = start;
  let beatenAt = Number.NEGATIVE_INFINITY;
  const lifeline = new Lifeline(
    () => now,
    () => beatenAt,
  );
  return { lifeline, pass: (ms: number) => (now += ms), now: () => now, beat: (at: number) => (beatenAt = at) };
}

test("lifeline: an assignment that waited longer than its acknowledgement is awaited is late, however old the last answer is", () => {
  const { lifeline, pass, now } = lifelineAt(1_000);
  const leader = () => now() + 500_000; // its clock began at another time
  assert.ok(lifeline.isLate(3, leader()), "nothing is known of this leader yet");
  lifeline.follow(3);
  lifeline.answered(now(), leader());
  assert.ok(!lifeline.isLate(3, leader()));
  pass(3_900);
  assert.ok(!lifeline.isLate(3, leader() - 1_500));
  const sentAt = leader();
  pass(2_000); // stopped, while the message waits in the socket
  assert.ok(lifeline.isLate(3, sentAt));
  assert.ok(!lifeline.isLate(3, leader()), "what is sent now is as good as ever");
  assert.ok(lifeline.isLate(2, leader()) && lifeline.isLate(4, leader()), "the clock of another leader is another");
});

test("lifeline: a slow answer does not make assignments late; a clock that drifts is followed", () => {
  const { lifeline, pass, now } = lifelineAt(0);
  lifeline.follow(1);
  lifeline.answered(now(), now());
  const askedAt = now();
  pass(3_000);
  lifeline.answered(askedAt, now());
  assert.ok(!lifeline.isLate(1, now()));
  for (let n = 0; n < 8; n++) {
    pass(4_000);
    lifeline.answered(now(), now() + 5_000);
  }
  assert.ok(!lifeline.isLate(1, now() + 5_000) && lifeline.isLate(1, now()));
});

test("lifeline: alive as long as an answer, or the thread that beats, was heard lately", () => {
  const { lifeline, pass, now, beat } = lifelineAt(0);
  assert.ok(!lifeline.isAlive());
  lifeline.answered(now(), undefined);
  pass(9_000);
  assert.ok(lifeline.isAlive());
  pass(20_000);
  assert.ok(!lifeline.isAlive());
  beat(now() - 4_000);
  assert.ok(lifeline.isAlive());
});

test("lifeline: a lease that was recreated counts anew, and so does what is known of its leader's clock", () => {
  const { lifeline, now } = lifelineAt(0);
  lifeline.follow(500);
  lifeline.answered(now(), now() + 7_000);
  lifeline.follow(1);
  assert.ok(lifeline.isLate(1, now()), "its clock is not known yet");
  lifeline.answered(now(), now());
  assert.ok(!lifeline.isLate(1, now()) && lifeline.isLate(500, now()));
});

test("a worker is cut off when neither it nor the thread that beats for it was answered for 25 s", () => {
  const { lifeline, pass, beat } = lifelineAt(0);
  lifeline.answered(0, undefined);
  pass(25_000);
  assert.ok(!lifeline.isCutOff());
  pass(1);
  assert.ok(lifeline.isCutOff());
  beat(1);
  assert.ok(!lifeline.isCutOff());
});
