// What is paused gets nothing, and everybody can see why.

import assert from "node:assert/strict";
import { changePauses, noPauses, type Pauses } from "../../src/domain/pauses.ts";
import { placeOf } from "../../src/matching/attached.ts";
import { describeRun, describeWorkers } from "../../src/requests/describe.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const pausing = (target: { task?: string; worker?: string }, before: Pauses = noPauses) =>
  changePauses(before, target, true, 0);
const assigned = (scene: Scene) => only(scene.tick(), "assign").flatMap(({ runs }) => runs.map((run) => run.key));
const waiting = (scene: Scene, key: string) => describeRun(scene.state, key)?.info.waiting;

describe("pauses", () => {
  test("of a task: its runs wait, those of others do not; running ones go on", () => {
    const scene = new Scene();
    scene.register("w", 5, ["mail", "bill"]);
    scene.create("mail", "running");
    assigned(scene);
    scene.give({ type: "pauses", pauses: pausing({ task: "mail" }) });
    scene.create("mail", "a");
    scene.create("bill", "b");
    assert.deepEqual(assigned(scene), ["bill/b"]);
    assert.equal(placeOf(scene.state.live.get("mail/running")!), "running");
    assert.deepEqual(waiting(scene, "mail/a"), { for: "resume", because: 'task "mail" is paused', position: 1 });
    scene.give({ type: "pauses", pauses: noPauses });
    assert.deepEqual(assigned(scene), ["mail/a"]);
  });

  test("of a worker, by id or by name, also of one that registers later; of the namespace", () => {
    const scene = new Scene();
    scene.give({ type: "pauses", pauses: pausing({ worker: "w" }) });
    scene.register("w", 5, ["mail"]);
    scene.create("mail", "a");
    assert.deepEqual(assigned(scene), []);
    assert.equal(describeWorkers(scene.state)[0]!.state, "paused");
    assert.equal(waiting(scene, "mail/a")!.because, "no worker is taking runs: w paused");
    scene.give({ type: "pauses", pauses: pausing({}) });
    assert.deepEqual(assigned(scene), []);
    assert.equal(waiting(scene, "mail/a")!.because, "the namespace is paused");
    scene.create("new", "x");
    assert.equal(scene.matching.queues.get("new")!.isPaused, true);
    scene.give({ type: "pauses", pauses: changePauses(scene.state.briefing.pauses, {}, false, scene.now) });
    assert.deepEqual(assigned(scene), ["mail/a"]);
  });

  test("a pause does not count as waiting for the schedule timeout", () => {
    const scene = new Scene();
    scene.register("w", 1, [{ name: "mail", scheduleTimeoutMs: 10_000 }]);
    scene.create("mail", "busy");
    assigned(scene);
    scene.create("mail", "a");
    scene.create("mail", "own", { scheduleTimeoutMs: 5_000 });
    scene.give({ type: "pauses", pauses: pausing({ task: "mail" }) });
    scene.store(scene.live(11_000));
    assert.deepEqual([...scene.state.live.keys()], ["mail/busy", "mail/a", "mail/own"]);
    scene.give({
      type: "pauses",
      pauses: changePauses(scene.state.briefing.pauses, { task: "mail" }, false, scene.now),
    });
    scene.store(scene.live(4_000));
    assert.equal(scene.state.live.size, 3);
    scene.store(scene.live(8_000));
    assert.deepEqual([...scene.state.live.keys()], ["mail/busy"]);
  });

  test("changes: a pause is there once, a resume of what was not paused leaves no trace", () => {
    const twice = pausing({ task: "mail" }, pausing({ task: "mail" }));
    assert.deepEqual(twice.tasks, ["mail"]);
    assert.deepEqual(changePauses(noPauses, { task: "mail" }, false, 5), noPauses);
    assert.deepEqual(changePauses(twice, { task: "mail" }, false, 5), { ...noPauses, resumedAt: { mail: 5 } });
    assert.deepEqual(changePauses(pausing({}), {}, false, 5).resumedAt, { "*": 5 });
  });
});

describe("why a run waits", () => {
  test("no worker, no free slot and the place in the queue, its time, a new leader", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    assert.equal(waiting(scene, "mail/a")!.because, 'no connected worker has the task "mail"');
    scene.register("w", 1, ["mail"]);
    assigned(scene);
    scene.create("mail", "b");
    scene.create("mail", "c");
    scene.create("mail", "urgent", { priority: 3 });
    assert.equal(waiting(scene, "mail/a"), undefined);
    assert.deepEqual(waiting(scene, "mail/urgent"), {
      for: "a slot",
      because: "no free slot: 1 slot of 1 worker taken",
      position: 1,
    });
    assert.deepEqual([waiting(scene, "mail/b")!.position, waiting(scene, "mail/c")!.position], [2, 3]);
    scene.create("mail", "later", { dueAt: scene.now + 5_000 });
    assert.deepEqual(waiting(scene, "mail/later"), { for: "its due time", because: "due at 1970-01-01T00:16:45.000Z" });
    const led = new Scene({}, { knownWorkers: ["w"] });
    led.create("mail", "a");
    assert.match(waiting(led, "mail/a")!.because, /new engine is waiting/);
  });
});
