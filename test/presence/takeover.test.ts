import assert from "node:assert/strict";
import { placeOf } from "../../src/matching/attached.ts";
import { workerOf } from "../../src/matching/workers.ts";
import { describeRun } from "../../src/requests/describe.ts";
import { assignments, declarationOf, endings, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

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
    assert.equal(workerOf(scene.state.live.get("mail/a")!)!.id, "w2");
  });

  test("after two seconds it goes on without those who do not answer", () => {
    const scene = standby();
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1", "gone"] });
    scene.register("w1", 1, ["mail"]);
    assert.deepEqual(assignments(scene.live(1_000)), []);
    assert.deepEqual(assignments(scene.live(1_000)), ["w1: mail/a"]);
  });

  test("nothing is expired or cancelled for a limit before each known worker has answered or is gone", () => {
    const scene = new Scene({}, "standby");
    const task = { name: "mail", scheduleTimeoutMs: 2_000 };
    const concurrency = [{ key: null, max: 1, strategy: "cancel-newest" as const }];
    const onlyOne = { name: "only-one", policies: { concurrency } };
    scene.create("mail", "executes");
    scene.create("only-one", "delayed", { dueAt: scene.now + 60_000 });
    scene.create("only-one", "executes");
    scene.pass(60_000);
    scene.give({ type: "briefed", briefing: { definitions: [{ ...declarationOf("mail"), ...task }] } });
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1", "blocked"] });
    scene.register("w1", 0, [task, onlyOne]);
    scene.create("only-one", "another");
    for (let s = 0; s < 24; s += 4) {
      assert.deepEqual(endings(scene.live(4_000)), []);
      scene.beat("w1");
    }
    const executing = [scene.held("mail/executes"), scene.held("only-one/executes")];
    scene.register("blocked", 2, [task, onlyOne], executing);
    assert.equal(placeOf(scene.state.live.get("mail/executes")!), "running");
    assert.deepEqual(endings(scene.tick()), ["cancelled only-one/another", "cancelled only-one/delayed"]);
  });

  test("runs of a task whose limit cancels begin as others do, while one worker without such tasks has not answered", () => {
    const scene = new Scene({}, "standby");
    for (const id of ["a", "b"]) scene.create("only-one", id);
    const details = new Map([["silent", { id: "silent", keyed: [] }]]);
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1", "silent"], details });
    const concurrency = [{ key: null, max: 1, strategy: "cancel-newest" as const }];
    scene.register("w1", 2, [{ name: "only-one", policies: { concurrency } }]);
    const commands = scene.live(2_000);
    assert.deepEqual([assignments(commands), endings(commands)], [["w1: only-one/a"], []]);
    scene.register("silent", 1, ["mail"]);
    assert.deepEqual(endings(scene.tick()), ["cancelled only-one/b"]);
  });

  test("a worker that never answers is gone after thirty seconds, also where the server knows nobody, and then timeouts count", () => {
    // A worker was cut off for nine seconds while the leader died: the next one, to which its run seemed to wait, cancelled that run after two.
    for (const isConnected of [true, false]) {
      const scene = new Scene({}, "standby");
      scene.create("mail", "a", { scheduleTimeoutMs: 1_000 });
      scene.give({ type: "lead", epoch: 8, knownWorkers: ["gone"] });
      if (!isConnected) scene.give({ type: "unreachable", id: "gone" });
      assert.deepEqual(endings(scene.live(29_000)), []);
      assert.deepEqual(endings(scene.live(1_000)), ["cancelled mail/a"]);
    }
  });

  test("what a leader before had noted is lost after two seconds; what else its worker may execute does not expire before it must be gone", () => {
    const scene = new Scene({}, "standby");
    for (const id of ["noted", "other"]) scene.create("mail", id, { scheduleTimeoutMs: 5_000 });
    const tried = [{ key: "mail/noted", turn: 1, worker: "w" }];
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w"], tried });
    scene.give({ type: "unreachable", id: "w" });
    assert.deepEqual(endings(scene.live(20_000)), ["lost mail/noted"]);
    scene.register("w", 2, ["mail"], [scene.held("mail/other")]);
    assert.equal(placeOf(scene.state.live.get("mail/other")!), "running");
  });

  test("timeouts that workers declared to an earlier leader hold before any worker registers", () => {
    const scene = new Scene({}, "standby");
    scene.create("mail", "a");
    scene.create("bill", "b");
    scene.report("w0", "mail/a", "returned");
    scene.give({
      type: "briefed",
      briefing: { definitions: [{ ...declarationOf("mail"), scheduleTimeoutMs: 5_000 }] },
    });
    scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
    assert.deepEqual(endings(scene.live(4_000)), []);
    assert.deepEqual(endings(scene.live(600_000)), ["cancelled mail/a"]);
  });

  test("time without a leader does not count as waiting: nor that before an unclean change, nor a sleep of the leader", () => {
    const scene = new Scene({}, "standby");
    scene.create("mail", "a", { scheduleTimeoutMs: 10_000 });
    scene.pass(3_600_000);
    scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
    assert.deepEqual(endings(scene.live(6_000)), []);
    scene.pass(20_000); // stopped, or cut off, and still the leader
    scene.tick();
    assert.deepEqual(endings(scene.live(3_000)), []);
    assert.deepEqual(endings(scene.live(1_000)), ["cancelled mail/a"]);
  });

  test("a clean hand-over goes on counting, without the time between", () => {
    const first = new Scene();
    const wait = { scheduleTimeoutMs: 10_000 };
    first.live(6_000);
    const counted = first.matching.queueIndex.counted.spanUntil(first.now);
    const next = new Scene({}, "standby");
    next.create("mail", "a", wait);
    next.pass(6_000 + 1_000);
    next.create("mail", "between", wait);
    next.pass(3_000);
    next.give({ type: "lead", epoch: 8, knownWorkers: [], ledger: [], counted });
    assert.deepEqual(endings(next.live(3_000)), []);
    assert.deepEqual(endings(next.live(1_000)), ["cancelled mail/a"]);
    assert.deepEqual(endings(next.live(5_000)), []);
    assert.deepEqual(endings(next.live(1_000)), ["cancelled mail/between"]);
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

  test("a worker that executes an older turn is fenced until it hears it, and its slot stays taken until it has stopped", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    const held = scene.held("mail/a");
    scene.report("w9", "mail/a", "returned");
    const [stop] = only(scene.register("w1", 1, ["mail"], [held]), "cancelOn");
    assert.deepEqual(stop!.runs, [
      { kind: "fence", key: "mail/a", origin: 1, turn: 1, reason: "a newer attempt of the run has replaced it" },
    ]);
    assert.deepEqual(assignments(scene.tick()), []);
    assert.deepEqual(only(scene.beat("w1", [held]), "cancelOn")[0]!.runs, stop!.runs);
    scene.beat("w1");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
    assert.deepEqual(only(scene.beat("w1", [scene.held("mail/a")]), "cancelOn"), []);
  });

  test("a fenced attempt that this leader assigned frees its slot as soon as its worker names it no more", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a");
    scene.create("mail", "b");
    scene.acknowledge(scene.tick());
    const held = scene.held("mail/a");
    scene.beat("w1", [held]);
    const ended = { turn: 1, origin: 1 };
    const [stop] = only(scene.report("w9", "mail/a", "completed", ended), "cancelOn");
    assert.deepEqual([stop!.runs[0]!.kind, stop!.runs[0]!.reason], ["fence", "the run has ended"]);
    scene.beat("w1", [held]);
    assert.deepEqual(assignments(scene.tick()), []);
    scene.beat("w1");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/b"]);
  });

  test("who steps down keeps what the log says, and nothing else", () => {
    const scene = standby();
    scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
    scene.register("w1", 1, ["mail"]);
    scene.tick();
    scene.give({ type: "stepDown" });
    const run = scene.state.live.get("mail/a")!;
    assert.equal(describeRun(scene.state, "mail/a")!.info.state, "queued");
    assert.deepEqual([run.soft, run.holder, run.log.attached], [0, undefined, undefined]);
    assert.deepEqual([scene.state.leadership, scene.state.fold.listener], [undefined, undefined]);
    assert.equal(scene.state.workers.size, 0);
    assert.deepEqual(assignments(scene.tick()), []);
  });
});
