// What a leader does not know, because it was moved before it was read, may be live: until it has reached the end of the log it removes nothing.
import assert from "node:assert/strict";
import type { Command } from "../../src/matching/commands.ts";
import { DurableScene, signal } from "../matching/durable/scene.ts";
import { only } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const removals = (commands: readonly Command[]): string[] => [
  ...commands
    .filter(({ type }) => ["purge", "purgeJournal", "compact", "sweep"].includes(type))
    .map(({ type }) => type),
  ...only(commands, "append").flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind)),
];

function skipping(): DurableScene {
  const scene = new DurableScene({ keepCount: 0, housekeepingDelayMs: 0, garbageBatch: 1 });
  scene.staff();
  scene.create("leaf", "a");
  scene.start();
  scene.answersEnd = false;
  scene.seq++; // somebody's entry stood here
  scene.report("w1", "leaf/a", "completed");
  return scene;
}
const reachEnd = (scene: DurableScene) => scene.give({ type: "heard", at: scene.now, gaps: scene.state.fold.gaps });

describe("a leader that has skipped part of the log", () => {
  test("keeps no house before it has reached the end", () => {
    const scene = skipping();
    assert.deepEqual(removals(scene.live(60_000)), []);
    reachEnd(scene);
    assert.deepEqual(removals(scene.live(1_000)), ["purge"]);
  });

  test("heeds no sweep that it asked for before, and asks again", () => {
    const scene = skipping();
    reachEnd(scene);
    scene.tick();
    scene.seq++;
    scene.create("leaf", "b");
    scene.give({ type: "swept", signals: [], journals: [{ key: "flow/x", origin: 2 }] });
    assert.deepEqual(only(scene.live(300_000), "purgeJournal"), []);
    reachEnd(scene);
    assert.equal(only(scene.live(120_000), "sweep").length, 1);
    scene.give({ type: "swept", signals: [], journals: [{ key: "flow/x", origin: 2 }] });
    assert.deepEqual(only(scene.live(59_000), "purgeJournal"), [], "somebody may be about to append to it");
    assert.equal(only(scene.live(2_000), "purgeJournal").length, 1);
  });

  test("leaves the journal of a run that it has not read yet", () => {
    const scene = skipping();
    reachEnd(scene);
    const key = scene.parked("a", [signal(0, "x")]);
    const { origin } = scene.state.live.get(key)!;
    const journals = [
      { key, origin },
      { key: "flow/ahead", origin: scene.seq + 1 },
    ];
    scene.give({ type: "swept", signals: [], journals });
    assert.deepEqual(only(scene.live(90_000), "purgeJournal"), []);
  });
});
