// What is sent to a durable run is taken in order, once, and by nobody else; and leaves the log when it is of no use any more.
import assert from "node:assert/strict";
import type { Command } from "../../../src/matching/commands.ts";
import { only } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";
import { DurableScene, offers, signal, timer } from "./scene.ts";

const purges = (commands: readonly Command[]): string[] =>
  only(commands, "purge").flatMap(({ filter, keepFrom }) =>
    typeof filter === "object" && "signalsOf" in filter
      ? [`${filter.signalsOf} ${filter.name ?? "all"} below ${keepFrom}`]
      : [],
  );
const keeping = { housekeepingDelayMs: 0 };

describe("signals", () => {
  test("wake the run that waits for their name, and are offered in order until its journal has taken them", () => {
    const scene = new DurableScene();
    scene.staff();
    const key = scene.parked("a", [signal(0, "x")]);
    scene.signal(key, "other");
    assert.equal(scene.place(key), "waiting");
    const [first, second] = [scene.signal(key, "x"), scene.signal(key, "x")];
    const commands = scene.tick();
    scene.acknowledge(commands);
    assert.deepEqual(offers(commands, key), [`signal x ${first}`, `signal x ${second}`]);
    scene.park(key, [signal(1, "x")], { cursors: { x: first } });
    assert.deepEqual(offers(scene.tick(), key), [`signal x ${second}`]);
  });

  test("that came before the run waits are there when it does, and none of before it was created", () => {
    const scene = new DurableScene();
    scene.staff();
    scene.signal("flow/a", "x");
    scene.create("flow", "a");
    const later = scene.signal("flow/a", "x");
    scene.start();
    scene.park("flow/a", [signal(0, "x")]);
    assert.deepEqual(offers(scene.tick(), "flow/a"), [`signal x ${later}`]);
  });

  test("stay with a run whose entry was moved behind them", () => {
    const first = new DurableScene();
    first.staff();
    const key = first.parked("a", [signal(0, "x")]);
    const state = { asOf: 2, origin: 1, turn: 2, attempt: 1, lost: 0, dueAt: 0, readyAt: first.now, retrying: false };
    const { parked } = first.state.live.get(key)!.flow!;
    const next = new DurableScene();
    next.staff();
    next.seq = 2;
    const seq = next.signal(key, "x");
    next.create("flow", "a", { form: 1, extra: { state: { ...state, history: [], parked } } });
    assert.deepEqual(offers(next.tick(), key), [`signal x ${seq}`]);
  });

  test("are purged once the log says that they are taken, and all when the run has ended", () => {
    const scene = new DurableScene(keeping);
    scene.staff();
    const key = scene.parked("a", [signal(0, "x"), signal(1, "y")]);
    const taken = scene.signal(key, "x");
    const left = scene.signal(key, "y");
    scene.start();
    assert.deepEqual(purges(scene.live(1_000)), [], "offered is not taken");
    scene.park(key, [timer(2, scene.now + 1e9)], { cursors: { x: taken }, ops: 3 });
    assert.deepEqual(purges(scene.live(1_000)), [`${key} x below ${taken + 1}`]);
    scene.report("w1", key, "completed");
    assert.equal(scene.state.fold.signals.size, 0);
    assert.deepEqual(purges(scene.live(1_000)), [`${key} all below ${scene.seq + 1}`]);
    assert.ok(scene.seq > left);
  });

  test("to nobody are purged, by a leader that has skipped nothing of the log", () => {
    const scene = new DurableScene(keeping);
    scene.answersEnd = false;
    scene.seq += 5;
    scene.signal("flow/nobody", "x");
    assert.deepEqual(purges(scene.live(3_000)), [], "an entry that it has not read may be the run's");
    scene.give({ type: "heard", at: scene.now, gaps: scene.state.fold.gaps });
    const seq = scene.signal("flow/nobody", "x");
    const commands = scene.live(1_000);
    assert.deepEqual(purges(commands), [`flow/nobody all below ${seq + 1}`]);
    scene.answerPurges(commands);
    assert.equal(scene.state.fold.signals.size, 0);
  });
});

describe("a wish to cancel", () => {
  const cancel = (scene: DurableScene, key: string, kill = false) =>
    scene.give({ type: "cancel", keys: [key], reason: "not wanted", kill });
  const endings = (commands: readonly Command[]) =>
    only(commands, "append").flatMap(({ outcomes }) => outcomes.map(({ kind, key }) => `${kind} ${key}`));

  test("ends a durable run at once that has not begun", () => {
    const scene = new DurableScene();
    scene.create("flow", "a");
    scene.staff();
    assert.deepEqual(endings(cancel(scene, "flow/a")), ["cancelled flow/a"]);
  });

  test("reaches one that waits as an offer, once, and the code may wait on", () => {
    const scene = new DurableScene();
    scene.staff();
    const key = scene.parked("a", [signal(0, "x")]);
    const asked = cancel(scene, key);
    assert.deepEqual(endings(asked), ["cancelling flow/a"]);
    scene.store(asked);
    const wish = scene.seq;
    const commands = scene.tick();
    scene.acknowledge(commands);
    assert.deepEqual(offers(commands, key), ["cancel not wanted"]);
    scene.park(key, [timer(1, scene.now + 1_000)], { ops: 2, cursors: { $cancel: wish } });
    assert.equal(scene.place(key), "waiting");
    scene.pass(2_000);
    scene.tick();
    assert.deepEqual(offers(scene.tick(), key), ["timer 1"]);
  });

  test("that is repeated while its run waits for a slot leaves the run in its queue", () => {
    const scene = new DurableScene();
    scene.staff("w1", 1);
    const key = scene.parked("a", [signal(0, "x")]);
    scene.create("flow", "b");
    scene.start(); // on the only slot
    scene.store(cancel(scene, key));
    assert.equal(scene.place(key), "queued");
    assert.deepEqual(endings(cancel(scene, key)), []);
    assert.equal(scene.place(key), "queued");
    assert.deepEqual(offers(scene.report("w1", "flow/b", "completed").concat(scene.tick()), key), [
      "cancel not wanted",
    ]);
  });

  test("tells the worker that executes it where the log says so, and survives that worker", () => {
    const scene = new DurableScene();
    scene.staff();
    scene.create("flow", "a");
    scene.start();
    const told = scene.store(cancel(scene, "flow/a"));
    const [stop] = only(told, "cancelOn").flatMap(({ runs }) => runs);
    assert.deepEqual([stop?.kind, stop?.seq, stop?.reason], ["cancel", scene.seq, "not wanted"]);
    scene.store(scene.give({ type: "leave", id: "w1" }));
    scene.staff("w2");
    const next = only(scene.tick(), "assign").flatMap(({ runs }) => runs.map(({ key }) => key));
    assert.deepEqual(next, ["flow/a"], "its code has to undo what it did");
  });

  test("ends the run when it has not ended in time, and `kill` does at once", () => {
    const scene = new DurableScene();
    scene.staff("w1", 5, { cancelTimeoutMs: 5_000 });
    const key = scene.parked("a", [signal(0, "x")]);
    scene.store(cancel(scene, key));
    scene.start();
    scene.beat("w1", [scene.held(key)]);
    assert.deepEqual(endings(scene.live(4_000)), []);
    assert.deepEqual(endings(scene.live(2_000)), ["cancelled flow/a"]);
    const other = scene.parked("b", [signal(0, "x")]);
    assert.deepEqual(endings(cancel(scene, other, true)), ["cancelled flow/b"]);
  });

  test("is what the deadline of a run makes, wherever it is", () => {
    const scene = new DurableScene();
    scene.staff("w1", 5, { deadlineMs: 60_000 });
    const key = scene.parked("a", [signal(0, "x")]);
    const commands: Command[] = [];
    for (let i = 0; i < 13; i++) {
      commands.push(...scene.live(5_000));
      scene.beat("w1");
    }
    assert.deepEqual(endings(commands), ["cancelling flow/a"]);
    scene.store(commands);
    assert.deepEqual(offers(scene.tick(), key), ["cancel the deadline of the run has passed"]);
  });
});
