// A fault of the scheduler itself: what it was about is set aside in the state that is made anew, and the others go on.
import assert from "node:assert/strict";
import { describeRun } from "../../src/requests/describe.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { Faults } from "../../src/scheduler/faults.ts";
import { step } from "../../src/scheduler/step.ts";
import { test } from "../support/harness.ts";
import { assignments, endings, only, Scene } from "./scene.ts";

const broken = (): never => {
  throw new Error("a fault");
};
const tick: SchedulerEvent = { type: "tick" };
const sceneOf = (faults: Faults): Scene => {
  const scene = new Scene({}, {}, faults);
  scene.create("bad", "1");
  scene.create("good", "1");
  return scene;
};

test("faults: a task whose queue fails is set aside, says so, and can be cancelled; the others are assigned", () => {
  const faults = new Faults();
  const scene = sceneOf(faults);
  scene.register("w1", 5, ["bad", "good"]);
  scene.matching.queueOf("bad").ready.head = broken;
  assert.throws(() => step(scene.state, tick, scene.now), /a fault/);
  assert.deepEqual(faults.blame(tick, scene.state.step.about), { setAside: 'task "bad"' });

  const anew = sceneOf(faults);
  anew.register("w1", 5, ["bad", "good"]);
  assert.deepEqual(assignments(anew.tick()), ["w1: good/1"]);
  const { info } = describeRun(anew.state, "bad/1")!;
  assert.equal(info.state, "queued");
  assert.match(info.waiting!.because, /task "bad" is set aside after an engine fault/);
  const commands = anew.give({ type: "cancel", keys: ["bad/1"], reason: "r" });
  assert.deepEqual(endings(commands), ["cancelled bad/1"]);
  anew.store(commands);
  assert.equal(anew.state.live.size, 1);
});

test("faults: a run that a worker of such a task executes goes on, and counts", () => {
  const scene = sceneOf(new Faults());
  scene.register("w1", 5, ["bad"]);
  scene.acknowledge(scene.tick());
  const held = scene.held("bad/1");
  const faults = new Faults();
  faults.blame(tick, { name: "bad" });
  const anew = sceneOf(faults);
  const commands = anew.register("w1", 5, ["bad"], [held]);
  assert.deepEqual(only(commands, "cancelOn"), []);
  anew.report("w1", "bad/1", "completed");
  assert.deepEqual([...anew.state.live.keys()], ["good/1"]);
  assert.equal(anew.state.workers.get("w1")!.busy, 0);
});

test("faults: a run whose placing fails is named with its task", () => {
  const scene = new Scene();
  scene.matching.queueOf("bad").ready.push = broken;
  assert.throws(() => scene.create("bad", "1"), /a fault/);
  const event = { type: "entry", seq: 1, at: 1, task: "bad", id: "1", entry: {} } as never;
  assert.deepEqual(scene.state.faults.blame(event, scene.state.step.about), { setAside: 'task "bad"', run: "bad/1" });
});

test("faults: housekeeping that fails is left out from then on", () => {
  const faults = new Faults();
  const scene = new Scene({ housekeepingDelayMs: 0 }, {}, faults);
  scene.pass(1_000);
  Object.defineProperty(scene.state.leadership!.house, "retention", { get: broken });
  assert.throws(() => step(scene.state, tick, scene.now), /a fault/);
  assert.deepEqual(faults.blame(tick, scene.state.step.about), { setAside: "housekeeping" });
  scene.tick();
});

test("faults: an entry whose fold fails twice is passed over, and the next ones are folded", () => {
  const faults = new Faults();
  const poison = { type: "entry", seq: 1, at: 1, task: "bad", id: "1", entry: undefined } as never as SchedulerEvent;
  for (const blame of [{}, { setAside: "entry 1" }]) {
    const scene = new Scene({}, "standby", faults);
    assert.throws(() => scene.give(poison));
    assert.deepEqual(faults.blame(poison, scene.state.step.about), blame);
  }
  const scene = new Scene({}, "standby", faults);
  scene.give(poison);
  scene.seq = 1;
  scene.create("good", "1");
  assert.deepEqual([...scene.state.live.keys()], ["good/1"]);
});
