import assert from "node:assert/strict";
import { describe, test } from "../../support/harness.ts";
import { simulateFlows } from "./simulate-flows.ts";

const seeds = 80;
const stepsPerSeed = 800;

/** A world in which nothing happens would find nothing. */
const least = {
  stepsExecuted: 1_000,
  laps: 80,
  fenced: 500,
  signals: 1_000,
  resumed: 800,
  pins: 30,
  marks: 200,
  childCancels: 100,
  erased: 300,
};

describe("durable runs on the scheduler in random worlds", () => {
  test("take one way, wake when they can go on, lose nothing that they wait for, and come to an end", () => {
    const sums: Record<string, number> = {};
    for (let seed = 1; seed <= seeds; seed++)
      for (const [name, count] of Object.entries(simulateFlows(seed, stepsPerSeed)))
        sums[name] = (sums[name] ?? 0) + count;
    assert.equal(sums["steps"], seeds * stepsPerSeed);
    for (const [name, count] of Object.entries(least)) assert.ok(sums[name]! > count, `${sums[name]} ${name}`);
  }, 600_000); // beside others on a busy machine
});
