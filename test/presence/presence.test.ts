import assert from "node:assert/strict";
import { isDue } from "../../src/presence/assigned.ts";
import { assignments, endings, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

function running(): Scene {
  const scene = new Scene();
  scene.register("w1", 1, ["mail"]);
  scene.create("mail", "a");
  scene.acknowledge(scene.tick());
  return scene;
}

describe("presence", () => {
  test("a worker whose connection is gone gets nothing at once, and its runs are lost after two seconds", () => {
    const scene = running();
    scene.register("w2", 1, ["mail"]);
    scene.give({ type: "unreachable", id: "w1" });
    assert.deepEqual(endings(scene.live(1_000)), []);
    const commands = scene.live(1_000);
    assert.deepEqual(endings(commands), ["lost mail/a"]);
    scene.store(commands);
    assert.deepEqual(assignments(scene.tick()), ["w2: mail/a"]);
  });

  test("a worker that comes back within the grace keeps its runs", () => {
    const scene = running();
    scene.give({ type: "unreachable", id: "w1" });
    scene.live(1_000);
    scene.give({ type: "pong", id: "w1" });
    assert.deepEqual(endings(scene.live(5_000)), []);
  });

  test("a silent worker gets nothing after three beats, and loses its runs after thirty seconds", () => {
    const scene = running();
    scene.register("w2", 1, ["bill"]);
    assert.equal(scene.state.workers.get("w1")!.isAssignable, true);
    scene.live(12_000);
    assert.equal(scene.state.workers.get("w1")!.isAssignable, false);
    assert.deepEqual(endings(scene.live(17_000)), []);
    assert.deepEqual(endings(scene.live(1_000)), ["lost mail/a"]);
  });

  test("a clock that jumps kills nobody", () => {
    const scene = running();
    scene.pass(3_600_000);
    assert.deepEqual(endings(scene.tick()), []);
    scene.pass(-7_200_000);
    assert.deepEqual(endings(scene.tick()), []);
  });

  test("a batch that waited until its worker was given up, or can take nothing, may not be sent any more", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a");
    const [assign] = only(scene.tick(), "assign");
    assert.equal(isDue(scene.matching, assign!), true);
    scene.give({ type: "unreachable", id: "w1" });
    assert.equal(isDue(scene.matching, assign!), false);
    scene.give({ type: "pong", id: "w1" });
    assert.equal(isDue(scene.matching, assign!), true);
    scene.give({ type: "unreachable", id: "w1" });
    scene.store(scene.live(2_000));
    scene.register("w1", 1, ["mail"]);
    assert.equal(isDue(scene.matching, assign!), false);
    scene.give({ type: "assigned", id: "w1", batch: assign!.batch, refused: [0] });
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });

  test("what a worker names before the log has brought it here is its own as soon as it is known, and nobody else gets it", () => {
    const scene = new Scene();
    const early = { key: "mail/a", turn: 1, origin: 1, startedAt: scene.now };
    scene.register("w1", 2, ["mail"], [early]);
    scene.register("w2", 2, ["mail"]);
    scene.create("mail", "a");
    scene.beat("w1", [early]);
    assert.deepEqual(assignments(scene.tick()), []);
    assert.equal(scene.state.workers.get("w1")!.busy, 1);
    scene.report("w1", "mail/a", "completed");
    assert.equal(scene.state.workers.get("w1")!.busy, 0);
  });

  test("an attempt that three heartbeats in a row do not name is lost", () => {
    const scene = running();
    scene.beat("w1");
    scene.beat("w1", [scene.held("mail/a")]);
    scene.beat("w1");
    assert.deepEqual(endings(scene.beat("w1")), []);
    assert.deepEqual(endings(scene.beat("w1")), ["lost mail/a"]);
    assert.equal(scene.state.workers.get("w1")!.busy, 0);
  });

  test("a worker that names a turn before the log tells of it, and is then given that turn, holds it once", () => {
    // It had taken the turn from another leader, of which this one has not read yet.
    const scene = new Scene();
    scene.register("w", 5, ["mail"]);
    scene.create("mail", "1");
    const { origin } = scene.state.live.get("mail/1")!;
    const held = { key: "mail/1", turn: 2, origin, startedAt: 0 };
    scene.beat("w", [held]);
    scene.report("gone", "mail/1", "lost");
    assert.deepEqual(assignments(scene.tick()), ["w: mail/1"]);
    for (let i = 0; i < 2; i++) scene.beat("w", [held]);
    assert.equal(scene.state.workers.get("w")!.busy, 1);
    const lost = [1, 2, 3].flatMap(() => scene.beat("w"));
    assert.deepEqual(endings(lost), ["lost mail/1"]);
    assert.equal(scene.state.workers.get("w")!.busy, 0);
  });

  test("an assignment without an answer is lost, and its worker gets nothing before its next beat", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a");
    const [assign] = only(scene.tick(), "assign");
    const commands = scene.give({ type: "unacknowledged", id: "w1", batch: assign!.batch });
    assert.deepEqual(endings(commands), ["lost mail/a"]);
    scene.store(commands);
    assert.deepEqual(assignments(scene.tick()), []);
    scene.beat("w1");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
    assert.equal(scene.state.live.get("mail/a")!.turn, 2);
  });

  test("a worker that did get the lost assignment keeps the slot that it takes, and is told to stop", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a");
    const [assign] = only(scene.tick(), "assign");
    const held = scene.held("mail/a");
    scene.store(scene.give({ type: "unacknowledged", id: "w1", batch: assign!.batch }));
    const [stop] = only(scene.beat("w1", [held]), "cancelOn");
    assert.deepEqual(stop!.runs, [
      { kind: "fence", key: "mail/a", origin: 1, turn: 1, reason: "a newer attempt of the run has replaced it" },
    ]);
    assert.deepEqual(assignments(scene.tick()), []);
  });

  test("a run that is lost ten times fails, if the last time nothing executed beside it", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    for (let i = 1; i < 10; i++) {
      scene.register(`w${i}`, 1, ["mail"]);
      scene.tick();
      const commands = scene.give({ type: "leave", id: `w${i}` });
      assert.deepEqual(endings(commands), ["lost mail/a"]);
      scene.store(commands);
    }
    scene.register("w10", 1, ["mail"]);
    scene.tick();
    scene.give({ type: "unreachable", id: "w10" });
    const commands = scene.live(2_000);
    assert.deepEqual(endings(commands), ["failed mail/a"]);
    scene.store(commands);
    assert.equal(scene.state.finished.get("mail/a")!.kind, "failed");
  });
});
