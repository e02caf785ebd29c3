// A run that waits holds nothing, and goes on when what it waits for stands in the log: not before, and on every leader alike.
import assert from "node:assert/strict";
import type { RunFilter } from "../../../src/domain/listing.ts";
import { compactLive } from "../../../src/housekeeping/compaction.ts";
import type { Command } from "../../../src/matching/commands.ts";
import { describeRun, listRuns } from "../../../src/requests/describe.ts";
import { endings, only } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";
import { DurableScene, offers, signal, timer } from "./scene.ts";

describe("a parked run", () => {
  test("holds no slot, says what it waits for, and is not expired", () => {
    const scene = new DurableScene();
    scene.staff("w1", 1);
    const key = scene.parked("a", [timer(0, scene.now + 3_600_000), signal(1, "approve")]);
    assert.equal(scene.place(key), "waiting");
    assert.equal(scene.state.workers.get("w1")!.busy, 0);
    assert.equal(scene.because(key), 'until 1970-01-01T01:16:40.000Z, or for the signal "approve"');
    assert.equal(describeRun(scene.state, key)!.info.state, "waiting");
    scene.live(600_000);
    scene.staff();
    assert.equal(scene.place(key), "waiting");
    scene.create("flow", "b");
    assert.deepEqual(scene.start(), ["flow/b"]);
  });

  test("is not given up when it waits for a slot, though a registration brings a schedule timeout meanwhile", () => {
    const scene = new DurableScene();
    scene.staff("w1", 1);
    const key = scene.parked("a", [signal(0, "x")]);
    scene.create("flow", "b");
    scene.start();
    scene.signal(key, "x");
    scene.tick();
    assert.equal(scene.place(key), "queued");
    scene.register("w2", 0, [{ name: "flow", scheduleTimeoutMs: 5_000 }]);
    assert.deepEqual(endings(scene.live(8_000)), []);
    assert.equal(scene.place(key), "queued");
  });

  test("counts for the current turn only", () => {
    const scene = new DurableScene();
    scene.staff();
    const key = scene.parked("a", [signal(0, "x")]);
    scene.report("w2", key, "parked", { turn: 1, detail: { lap: 9, ops: 0, waits: [], cursors: {}, journalSeq: 9 } });
    assert.equal(scene.state.live.get(key)!.flow!.parked.lap, 1);
    assert.equal(scene.place(key), "waiting");
  });

  test("is as it was after its next turn is lost: what made it ready is offered again", () => {
    const scene = new DurableScene();
    scene.staff();
    const key = scene.parked("a", [signal(0, "x")]);
    const seq = scene.signal(key, "x");
    const first = scene.tick();
    scene.acknowledge(first);
    assert.deepEqual(offers(first, key), [`signal x ${seq}`]);
    scene.store(scene.give({ type: "leave", id: "w1" }));
    scene.staff("w2");
    assert.deepEqual(offers(scene.tick(), key), [`signal x ${seq}`]);
  });

  test("goes on with the worker that may hold its frame, if that has room", () => {
    const scene = new DurableScene();
    scene.staff("w1", 1);
    const key = scene.parked("a", [signal(0, "x")]);
    scene.staff("w2", 9);
    scene.signal(key, "x");
    const commands = scene.tick();
    assert.deepEqual(
      only(commands, "assign").map(({ worker }) => worker),
      ["w1"],
    );
  });

  test("leaves no slot taken when its worker's older heartbeat still names it", () => {
    const scene = new DurableScene();
    scene.staff("w1", 1);
    scene.create("flow", "a");
    scene.start();
    const held = scene.held("flow/a");
    scene.park("flow/a", [signal(0, "x")]);
    scene.beat("w1", [held]);
    assert.equal(scene.state.workers.get("w1")!.busy, 0);
  });

  test("is the same in its compacted form", () => {
    const scene = new DurableScene();
    scene.staff();
    const at = scene.now + 50_000;
    const key = scene.parked("a", [timer(2, at), signal(3, "x")], {
      lap: 4,
      ops: 7,
      cursors: { x: 1, y: 2 },
      journalSeq: 12,
    });
    compactLive(scene.state.leadership!.house, scene.state.live.get(key)!);
    const [{ runs }] = only(scene.state.step.commands, "compact") as [Extract<Command, { type: "compact" }>];
    const next = new DurableScene();
    next.staff();
    next.create("flow", "a", runs[0]!.entry);
    assert.deepEqual(next.state.live.get(key)!.flow!.parked, scene.state.live.get(key)!.flow!.parked);
    assert.equal(next.place(key), "waiting");
    next.signal(key, "x");
    assert.equal(next.place(key), "queued");
  });

  test("takes no retries, losses and attempts along", () => {
    const scene = new DurableScene();
    for (let i = 0; i < 30; i++) {
      scene.staff(`w${i}`);
      if (i === 0) scene.create("flow", "a");
      scene.acknowledge(scene.live(3_000));
      scene.store(scene.give({ type: "leave", id: `w${i}` }));
    }
    const run = scene.state.live.get("flow/a")!;
    assert.ok(run.lost >= 20, `lost ${run.lost} times, and still tried`);
    assert.ok(run.history.length <= 20);
    scene.staff("last");
    scene.acknowledge(scene.live(3_000));
    scene.park("flow/a", [signal(0, "x")], {}, "last");
    assert.deepEqual([run.lost, run.history.length, scene.place("flow/a")], [0, 0, "waiting"]);
  });
});

describe("a timer", () => {
  test("is past when the log says so, whatever the own clock says", () => {
    const scene = new DurableScene();
    scene.answersEnd = false;
    scene.staff();
    const key = scene.parked("a", [timer(0, scene.now + 1_000)]);
    const deadline = scene.now + 1_000;
    scene.pass(5_000);
    const [asked] = only(scene.tick(), "askForEnd");
    assert.equal(scene.place(key), "waiting");
    assert.deepEqual(only(scene.tick(), "askForEnd"), [], "asked once");
    scene.give({ type: "heard", at: deadline, gaps: asked!.gaps });
    scene.tick();
    assert.equal(scene.place(key), "waiting", "something of that very millisecond may come");
    scene.give({ type: "heard", at: deadline + 1, gaps: asked!.gaps });
    assert.deepEqual(offers(scene.tick(), key), ["timer 0"]);
  });

  test("loses to a signal that was stored before its deadline, and wins over one that was stored after it", () => {
    for (const [passMs, expected] of [
      [900, ["signal x 3"]],
      [1_000, ["signal x 3"]],
      [1_001, ["timer 0", "signal x 3"]],
    ] as const) {
      const scene = new DurableScene();
      scene.staff();
      const key = scene.parked("a", [timer(0, scene.now + 1_000), signal(1, "x")]);
      scene.give({ type: "stepDown" });
      scene.pass(passMs);
      scene.signal(key, "x");
      scene.pass(5_000);
      scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
      scene.staff();
      scene.tick();
      scene.give({ type: "heard", at: scene.now, gaps: scene.state.fold.gaps });
      assert.deepEqual(offers([...scene.commands].reverse(), key), expected);
    }
  });

  test("of ten thousand sleepers each wakes in its time", () => {
    const scene = new DurableScene();
    scene.staff("w1", 20_000);
    const start = scene.now;
    for (let i = 0; i < 10_000; i++) scene.create("flow", `${i}`);
    for (let left = 10_000; left > 0; ) left -= scene.start().length;
    for (let i = 0; i < 10_000; i++) scene.park(`flow/${i}`, [timer(0, start + 1_000 + ((i * 7_919) % 10_000))]);
    let woken = 0;
    for (let at = start + 1_000; at <= start + 11_000; at += 500) {
      scene.now = at;
      scene.tick();
      for (let more = scene.start().length; more > 0; more = scene.start().length) woken += more;
    }
    assert.equal(scene.state.workers.get("w1")!.busy, 10_000);
    assert.ok(woken <= 10_000);
  });
});

describe("a run whose code does not fit", () => {
  test("waits for a worker with other code, and goes there", () => {
    const scene = new DurableScene();
    scene.staff("old", 5, { code: "c1" });
    const key = scene.parked("a", [signal(0, "x")]);
    scene.signal(key, "x");
    scene.start();
    scene.park(key, [], { blocked: { reason: "op 3 differs", codes: ["c1"] } }, "old");
    scene.live(10_000);
    assert.equal(scene.place(key), "waiting");
    assert.match(scene.because(key)!, /matching code: op 3 differs/);
    assert.deepEqual(scene.state.live.get(key)!.flow!.parked.waits, [signal(0, "x")], "what it waited for is kept");
    scene.staff("old", 5, { code: "c1" });
    scene.staff("new", 5, { code: "c2" });
    const commands = scene.live(2_000);
    assert.deepEqual(
      only(commands, "assign").map(({ worker }) => worker),
      ["new"],
    );
    assert.deepEqual(offers(commands, key), ["signal x 3"]);
  });

  test("is tried again by a worker that came later, whatever the text of its code", () => {
    const scene = new DurableScene();
    scene.staff("old", 5, { code: "c1" });
    const key = scene.parked("a", [signal(0, "x")]);
    scene.start();
    scene.park(key, [], { blocked: { reason: "op 3 differs", codes: ["c1"], at: scene.now } }, "old");
    assert.deepEqual(only(scene.live(10_000), "assign"), []);
    scene.staff("restarted", 5, { code: "c1" });
    const [assigned, ...others] = only(scene.live(2_000), "assign");
    assert.equal(assigned!.worker, "restarted");
    assert.deepEqual(others, []);
    scene.park(key, [], { blocked: { reason: "op 3 differs", codes: ["c1"], at: scene.now } }, "restarted");
    assert.deepEqual(only(scene.live(10_000), "assign"), [], "once");
  });

  test("that lacks a key is tried again by any worker at its time, and not before", () => {
    const scene = new DurableScene();
    scene.staff("w1", 5, { code: "c1" });
    const key = scene.parked("a", [signal(0, "x")]);
    scene.signal(key, "x");
    scene.start();
    const lacking = { reason: 'key "k1"', codes: [], at: scene.now, again: scene.now + 4_000 };
    scene.park(key, [], { blocked: lacking }, "w1");
    assert.match(scene.because(key)!, /^tried again at .*: key "k1"$/);
    assert.deepEqual(only(scene.live(4_000), "assign"), []);
    const { info } = describeRun(scene.state, key)!;
    assert.equal(info.waiting?.for, "its key");
    const assigned = scene.live(3_000);
    assert.equal(only(assigned, "assign").length, 1);
    assert.deepEqual(offers(assigned, key).length, 1, "with what it waited for");
  });

  test("is looked at again soon where others have just gone on", () => {
    const scene = new DurableScene();
    scene.staff("old", 1, { code: "c1" });
    for (const id of ["a", "b"]) {
      const key = scene.parked(id, [signal(0, "x")]);
      scene.signal(key, "x");
      scene.start();
      scene.park(key, [], { blocked: { reason: "r", codes: ["c1"] } }, "old");
    }
    scene.staff("new", 1, { code: "c2" });
    const commands = scene.live(1_000);
    assert.equal(only(commands, "assign").length, 1);
    assert.ok(only(commands, "wake").some(({ at }) => at <= scene.now + 100));
  });

  test("is found by what it waits for, and lists say that of all that wait", () => {
    const scene = new DurableScene();
    scene.staff("old", 5, { code: "c1" });
    const key = scene.parked("a", [signal(0, "x")]);
    scene.parked("b", [signal(0, "y")]);
    scene.signal(key, "x");
    scene.start();
    scene.park(key, [], { blocked: { reason: "op 3 differs", codes: ["c1"] } }, "old");
    const found = (filter: RunFilter) =>
      listRuns(scene.state, filter, 9).runs.map(({ info }) => `${info.id} ${info.waiting?.because}`);
    assert.deepEqual(found({ waitingFor: "its code" }), [
      "a no worker with a free slot has matching code: op 3 differs",
    ]);
    assert.deepEqual(found({ waitingFor: "a signal", state: ["waiting"] }), ['b for the signal "y"']);
  });

  test("does not stand in the way of others", () => {
    const scene = new DurableScene();
    scene.staff("old", 1, { code: "c1" });
    scene.staff("new", 1, { code: "c2" });
    scene.create("flow", "a");
    scene.create("flow", "b");
    scene.start();
    const { live } = scene.state;
    const onOld = [...live.values()].find((run) => (run.holder as { id: string }).id === "old")!.key;
    scene.park(onOld, [], { blocked: { reason: "r", codes: ["c1"] } }, "old");
    scene.create("flow", "c");
    assert.deepEqual(scene.start(), ["flow/c"]);
  });
});
