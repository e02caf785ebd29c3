// Times in the log are the server's. What clients and workers say by their own clocks is only the base of spans.
import assert from "node:assert/strict";
import { describeRun } from "../../src/requests/describe.ts";
import { assignments, endings, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const hourMs = 3_600_000;
const ofRun = (scene: Scene, key: string) => describeRun(scene.state, key)!.info;

describe("a new run", () => {
  for (const skewMs of [120_000, -600_000, hourMs * 24]) {
    test(`starts at once, and is as old as its entry, when its caller's clock is ${skewMs} ms off`, () => {
      const scene = new Scene();
      scene.register("w1", 1, ["mail"]);
      scene.create("mail", "a", { createdAt: scene.now + skewMs });
      scene.bundle("mail", "b", ["b1"], { createdAt: scene.now + skewMs });
      const commands = scene.tick();
      assert.deepEqual(assignments(commands), ["w1: mail/a"]);
      assert.deepEqual(endings(commands), []);
      assert.equal(ofRun(scene, "mail/a").createdAt, scene.now);
      assert.equal(ofRun(scene, "mail/b1").state, "queued");
    });

    test(`waits for its delay from when it was stored, when its caller's clock is ${skewMs} ms off`, () => {
      const scene = new Scene();
      const createdAt = scene.now + skewMs;
      scene.create("mail", "a", { createdAt, dueAt: createdAt + 5_000 });
      assert.equal(ofRun(scene, "mail/a").dueAt, scene.now + 5_000);
      scene.live(4_000);
      assert.equal(ofRun(scene, "mail/a").state, "scheduled");
      scene.live(1_000);
      assert.equal(ofRun(scene, "mail/a").state, "queued");
    });

    test(`waits for a time of the calendar, whatever its caller's clock says (${skewMs} ms off)`, () => {
      const scene = new Scene();
      const dueAt = scene.now + hourMs;
      scene.create("mail", "a", { createdAt: scene.now + skewMs, dueAt, isDated: true });
      assert.equal(ofRun(scene, "mail/a").dueAt, dueAt);
      scene.create("mail", "b", { createdAt: scene.now + skewMs, dueAt: scene.now - 1, isDated: true });
      assert.equal(ofRun(scene, "mail/b").state, "queued", "a time that has passed is now");
    });
  }

  test("without a delay is queued even where the engine's clock is behind the server's", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.give({
      type: "entry",
      seq: ++scene.seq,
      at: scene.now + 3,
      task: "mail",
      id: "a",
      entry: entryAt(scene.now),
    });
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });
});

const entryAt = (createdAt: number, dueAt = 0) =>
  ({
    form: 0,
    priority: 1,
    createdAt,
    dueAt,
    scheduleTimeoutMs: undefined,
    inbox: "",
    extra: undefined,
  }) as const;

describe("an outcome", () => {
  for (const skewMs of [120_000, -600_000]) {
    test(`of a worker whose clock is ${skewMs} ms off brings its run back after the span that it names`, () => {
      for (const kind of ["retry", "returned"] as const) {
        const scene = new Scene();
        scene.register("w1", 1, ["mail"]);
        scene.create("mail", "a");
        scene.tick();
        const at = scene.now + skewMs;
        scene.report("w1", "mail/a", kind, { at, dueAt: at + 5_000 });
        assert.equal(ofRun(scene, "mail/a").dueAt, scene.now + 5_000, kind);
      }
    });

    test(`of a worker whose clock is ${skewMs} ms off ends its run when it was stored`, () => {
      const scene = new Scene();
      scene.register("w1", 1, ["mail"]);
      scene.create("mail", "a");
      scene.tick();
      scene.report("w1", "mail/a", "completed", { at: scene.now + skewMs });
      assert.equal(ofRun(scene, "mail/a").finishedAt, scene.now);
    });
  }

  test("by which the engine moves a run names a time of the calendar", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    const dueAt = scene.now + hourMs;
    const commands = scene.give({ type: "reschedule", keys: ["mail/a"], dueAt });
    scene.pass(700);
    scene.store(commands);
    assert.equal(ofRun(scene, "mail/a").dueAt, dueAt);
  });
});

test("a run that is moved to a time that has passed is queued now, and has not waited since then", () => {
  const scene = new Scene();
  scene.create("mail", "a", { dueAt: scene.now + hourMs });
  scene.pass(60_000);
  scene.store(scene.give({ type: "reschedule", keys: ["mail/a"], dueAt: scene.now - hourMs }));
  assert.equal(ofRun(scene, "mail/a").state, "queued");
  assert.deepEqual(endings(scene.live(200_000)), []);
});

test("what a compacted entry says is not moved by when it was stored", () => {
  const scene = new Scene({ keepCount: 1, housekeepingDelayMs: 0 }, "standby");
  const state = { asOf: 1, origin: 1, turn: 2, attempt: 2, lost: 0, dueAt: 9_000_000, readyAt: 9_000_000 };
  const extra = { state: { ...state, retrying: true, history: [] } };
  scene.pass(hourMs);
  scene.create("mail", "a", { form: 1, createdAt: 1_000_000, dueAt: 9_000_000, extra });
  const { createdAt, dueAt } = ofRun(scene, "mail/a");
  assert.deepEqual({ createdAt, dueAt }, { createdAt: 1_000_000, dueAt: 9_000_000 });
});

test("times that no calendar holds, from a log of before, stop neither a tick nor a query", () => {
  const scene = new Scene();
  const times = [1e300, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, Number.NaN, -1e300];
  times.forEach((dueAt, i) => {
    scene.create("mail", `r${i}`, { dueAt });
    scene.create("mail", `d${i}`, { dueAt, isDated: true });
    scene.create("mail", `c${i}`, { createdAt: dueAt, dueAt });
  });
  scene.live(3_000);
  for (const run of [...scene.state.live.values()]) assert.ok(ofRun(scene, run.key).createdAt > 0, run.key);
  assert.equal(only(scene.commands, "append").length, 0);
});
