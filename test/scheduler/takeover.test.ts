import assert from "node:assert/strict";
import { describe, test } from "../support/harness.ts";
import { assignments, endings, only, Scene } from "./scene.ts";

/** A standby that folded one run, which some worker may execute. */
function standby(): Scene {
  const scene = new Scene({}, "standby");
  scene.create("mail", "a");
  return scene;
}

describe("takeover", () => {
  test("nothing is assigned before every known worker answered", () => {
    const scene = standby();
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1", "w2"] });
    scene.register("w1", 1, ["mail"]);
    assert.deepEqual(assignments(scene.tick()), []);
    scene.register("w2", 1, ["mail"], [scene.held("mail/a")]);
    assert.deepEqual(assignments(scene.tick()), []);
    assert.equal(scene.state.live.get("mail/a")!.worker!.id, "w2");
  });

  test("after two seconds it goes on without those who do not answer", () => {
    const scene = standby();
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1", "gone"] });
    scene.register("w1", 1, ["mail"]);
    assert.deepEqual(assignments(scene.live(1_000)), []);
    assert.deepEqual(assignments(scene.live(1_000)), ["w1: mail/a"]);
  });

  test("a first start waits for nobody", () => {
    const scene = standby();
    scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
    scene.register("w1", 1, ["mail"]);
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });

  test("a clean hand-over brings the ledger along", () => {
    const scene = standby();
    scene.create("mail", "b");
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1"], ledger: [{ key: "mail/a", turn: 1, worker: "w1" }] });
    scene.register("w2", 2, ["mail"]);
    assert.deepEqual(assignments(scene.tick()), ["w2: mail/b"]);
    scene.give({ type: "unreachable", id: "w1" });
    assert.deepEqual(endings(scene.live(2_000)), ["lost mail/a"]);
  });

  test("what was handed over takes as many slots as its task says, once a worker says it", () => {
    // The new leader did not know yet that such a run takes two slots, counted one, and gave its worker more than it has.
    const scene = standby();
    scene.create("mail", "b");
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1"], ledger: [{ key: "mail/a", turn: 1, worker: "w1" }] });
    scene.register("w1", 3, [{ name: "mail", policies: { slots: 2 } }], [scene.held("mail/a")]);
    assert.equal(scene.state.workers.get("w1")!.busy, 2);
    assert.deepEqual(assignments(scene.tick()), []);
  });

  test("a worker that executes an older turn is told to stop, and its slot stays taken until it has", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    const held = scene.held("mail/a");
    scene.report("w9", "mail/a", "returned");
    const [stop] = only(scene.register("w1", 1, ["mail"], [held]), "cancelOn");
    assert.deepEqual(stop!.runs, [{ key: "mail/a", turn: 1, reason: "superseded" }]);
    assert.deepEqual(assignments(scene.tick()), []);
    scene.beat("w1");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });

  test("who steps down keeps what the log says, and nothing else", () => {
    const scene = standby();
    scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
    scene.register("w1", 1, ["mail"]);
    scene.tick();
    scene.give({ type: "stepDown" });
    assert.equal(scene.state.live.get("mail/a")!.place, "queued");
    assert.equal(scene.state.workers.size, 0);
    assert.deepEqual(assignments(scene.tick()), []);
  });
});
