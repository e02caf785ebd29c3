// Whether outcomes were purged before they were read shows where the fold skips sequences; what it was told before that must not hide it.
import assert from "node:assert/strict";
import type { Command } from "../../src/matching/commands.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const floor = (scene: Scene, outcomesFrom: number): Command[] => scene.give({ type: "floor", outcomesFrom });

describe("a fold", () => {
  test("begins anew when it has come to where outcomes were purged ahead of it, whenever it was told where they begin", () => {
    const scene = new Scene({}, "standby");
    scene.create("t", "a");
    assert.deepEqual(floor(scene, 4), []); // its outcomes at 2 and 3 are purged, and were not read
    scene.seq = 3;
    scene.create("t", "b");
    assert.equal(only(floor(scene, 4), "rebuild").length, 1);
  });

  test("that begins with what is left misses nothing", () => {
    const scene = new Scene({}, "standby");
    floor(scene, 10);
    scene.seq = 5;
    scene.create("t", "a");
    assert.deepEqual(floor(scene, 10), []);
  });
});
