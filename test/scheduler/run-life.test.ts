import assert from "node:assert/strict";
import { placeOf } from "../../src/matching/attached.ts";
import type { Command } from "../../src/matching/commands.ts";
import { describeCancellations, describeQueues, describeRun, listRuns } from "../../src/requests/describe.ts";
import { describe, test } from "../support/harness.ts";
import { assignments, endings, only, Scene } from "./scene.ts";

describe("schedule timeout", () => {
  test("of very many at once: the outcomes of some are under way at a time, and no late run begins meanwhile", () => {
    const scene = new Scene();
    scene.register("w0", 0, ["mail"]);
    for (let i = 0; i < 45_000; i++) scene.create("mail", `${i}`);
    for (let i = 0; i < 29; i++) {
      scene.live(10_000);
      scene.beat("w0");
    }
    scene.live(9_000);
    scene.pass(2_000);
    scene.register("w1", 5, ["mail"]);
    scene.create("mail", "fresh");
    const ended: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const commands = scene.tick();
      assert.equal(assignments(commands).length, turn < 2 ? 0 : 1);
      assert.deepEqual(endings(scene.tick()), []);
      ended.push(endings(commands).length);
      scene.store(commands);
    }
    assert.deepEqual(ended, [20_000, 20_000, 5_000]);
    assert.deepEqual([...scene.state.live.keys()], ["mail/fresh"]);
  });

  test("cancels what waited too long, says why in each run and once in the log, and counts it", () => {
    const scene = new Scene();
    scene.register("w1", 0, ["mail"]);
    for (const id of ["a", "b"]) scene.create("mail", id);
    scene.create("mail", "own", { scheduleTimeoutMs: 300_000 });
    assert.deepEqual(endings(scene.live(299_000)), []);
    const commands = scene.live(1_000);
    assert.deepEqual(endings(commands), ["cancelled mail/a", "cancelled mail/b", "cancelled mail/own"]);
    const detail = only(commands, "append")[0]!.outcomes[0]!.detail as { reason: string };
    assert.equal(detail.reason, 'schedule timeout: waited 5m in the queue of "mail"');
    const [told, ...more] = only(commands, "log").filter(({ level }) => level === "warn" || level === "error");
    assert.deepEqual([more, told!.fields], [[], { task: "mail", runs: 3, timeout: "5m" }]);
    const said = '3 runs were cancelled after waiting 5m in the queue of task "mail" (scheduleTimeout)';
    assert.equal(told!.message, said);
    const counted = { caller: 0, limit: 0, "schedule timeout": 3, deadline: 0, parent: 0 };
    assert.deepEqual(describeCancellations(scene.state), [{ task: "mail", runs: counted }]);
  });

  test("is none where nobody said one", () => {
    const scene = new Scene();
    scene.create("mail", "unknown");
    scene.register("w1", 0, [{ name: "bill", scheduleTimeoutMs: null }]);
    scene.create("bill", "none");
    assert.deepEqual(endings(scene.live(3_600_000)), []);
  });

  test("that a registration brings holds for what waits already, whatever its turn", () => {
    const scene = new Scene();
    scene.register("w1", 2, [{ name: "mail", scheduleTimeoutMs: null }]);
    for (const id of ["again", "first"]) scene.create("mail", id, { dueAt: scene.now + (id === "again" ? 0 : 3_000) });
    scene.acknowledge(scene.tick());
    scene.store(scene.give({ type: "leave", id: "w1" }));
    scene.create("mail", "late");
    scene.live(10_000);
    scene.register("w2", 0, [{ name: "mail", scheduleTimeoutMs: 15_000 }]);
    assert.deepEqual(endings(scene.live(5_000)), ["cancelled mail/late", "cancelled mail/again"]);
    assert.deepEqual(endings(scene.live(3_000)), ["cancelled mail/first"]);
  });

  test("is the run's, else the task's", () => {
    const scene = new Scene();
    scene.register("w1", 1, [{ name: "mail", scheduleTimeoutMs: 10_000 }], [], true);
    scene.create("mail", "own", { scheduleTimeoutMs: 2_000 });
    scene.create("mail", "off", { scheduleTimeoutMs: null });
    scene.create("mail", "task");
    assert.deepEqual(endings(scene.live(2_000)), ["cancelled mail/own"]);
    assert.deepEqual(endings(scene.live(8_000)), ["cancelled mail/task"]);
    assert.deepEqual(endings(scene.live(20_000)), []);
  });

  test("starts when the run is due, and again with each retry, return and loss", () => {
    const scene = new Scene();
    scene.create("mail", "a", { dueAt: scene.now + 60_000, scheduleTimeoutMs: 5_000 });
    assert.deepEqual(endings(scene.live(64_000)), []);
    scene.register("w1", 1, ["mail"]);
    scene.tick();
    scene.report("w1", "mail/a", "retry", { dueAt: scene.now + 1_000 });
    scene.give({ type: "leave", id: "w1" });
    assert.deepEqual(endings(scene.live(5_000)), []);
    scene.register("w2", 1, ["mail"]);
    scene.tick();
    scene.live(9_000);
    scene.report("w2", "mail/a", "returned");
    scene.give({ type: "leave", id: "w2" });
    assert.deepEqual(endings(scene.live(4_000)), []);
    scene.register("w3", 1, ["mail"]);
    scene.acknowledge(scene.tick());
    scene.live(9_000);
    scene.store(scene.give({ type: "leave", id: "w3" }));
    assert.deepEqual(endings(scene.live(4_000)), []);
    assert.deepEqual(endings(scene.live(1_000)), ["cancelled mail/a"]);
  });
});

describe("due times", () => {
  test("a delayed run is queued in its millisecond, and the scheduler asks to be woken for it", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a", { dueAt: scene.now + 250 });
    assert.equal(only(scene.tick(), "wake")[0]!.at, scene.now + 250);
    scene.pass(249);
    assert.deepEqual(assignments(scene.tick()), []);
    assert.equal(describeRun(scene.state, "mail/a")!.info.state, "scheduled");
    scene.pass(1);
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });

  test("a retry waits for its time and counts as an attempt", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a");
    scene.tick();
    const attempt = { attempt: 1, turn: 1, worker: "w1", startedAt: 1, endedAt: 2, outcome: "retry" as const };
    scene.report("w1", "mail/a", "retry", { dueAt: scene.now + 500, detail: { attempt } });
    const { info } = describeRun(scene.state, "mail/a")!;
    assert.deepEqual([info.state, info.attempt, info.attempts], ["retrying", 2, [attempt]]);
    scene.pass(500);
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });
});

describe("results", () => {
  test("go to the creator and to all who asked, once, from the accepted outcome", () => {
    const scene = new Scene();
    scene.create("mail", "a", { inbox: "creator" });
    scene.give({ type: "waiter", key: "mail/a", inbox: "other" });
    scene.give({ type: "waiter", key: "mail/a", inbox: "creator" });
    const forwards = only(scene.report("w1", "mail/a", "completed"), "forward");
    assert.deepEqual(
      forwards.map((f) => [f.inbox, f.seq, f.index]),
      [
        ["creator", 2, 0],
        ["other", 2, 0],
      ],
    );
    assert.deepEqual(only(scene.report("w2", "mail/a", "failed"), "forward"), []);
    assert.equal(describeRun(scene.state, "mail/a")!.info.state, "completed");
  });

  test("the creator whom the log tells is told no more, but for an outcome that may not count, and whoever asked", () => {
    const scene = new Scene();
    for (const id of ["a", "b", "c", "d"]) scene.create("mail", id, { inbox: "creator" });
    const toWhom = (commands: readonly Command[]) => only(commands, "forward").map(({ inbox }) => inbox);
    assert.deepEqual(toWhom(scene.report("w1", "mail/a", "completed", { told: "creator" })), []);
    assert.deepEqual(toWhom(scene.report("w1", "mail/b", "completed", { told: "another" })), ["creator"]);
    assert.deepEqual(toWhom(scene.report("w1", "mail/c", "failed", { told: "creator" })), ["creator"]);
    scene.give({ type: "waiter", key: "mail/d", inbox: "asked" });
    assert.deepEqual(toWhom(scene.report("w1", "mail/d", "completed", { told: "creator" })), ["asked"]);
  });

  test("what an engine ends names the inbox of the creator, so that the log can tell", () => {
    const scene = new Scene();
    scene.create("mail", "a", { inbox: "creator" });
    const [append] = only(scene.give({ type: "cancel", keys: ["mail/a"], reason: "no longer wanted" }), "append");
    assert.deepEqual(
      append!.outcomes.map(({ key, kind, inbox }) => [key, kind, inbox]),
      [["mail/a", "cancelled", "creator"]],
    );
  });

  test("a second create and a late question get the known outcome; a question about nothing is answered too", () => {
    const scene = new Scene();
    scene.create("mail", "a");
    scene.report("w1", "mail/a", "completed");
    scene.create("mail", "a", { inbox: "again" });
    scene.give({ type: "waiter", key: "mail/a", inbox: "late" });
    assert.deepEqual(
      only(scene.commands, "forward").map((f) => [f.inbox, f.seq]),
      [
        ["again", 2],
        ["late", 2],
      ],
    );
    assert.deepEqual(scene.give({ type: "waiter", key: "mail/none", inbox: "i" }), []);
  });

  test("a standby tells nobody", () => {
    const scene = new Scene({}, "standby");
    scene.create("mail", "a", { inbox: "creator" });
    assert.deepEqual(scene.report("w1", "mail/a", "completed"), []);
  });
});

describe("reschedule", () => {
  test("a scheduled, queued or retrying run moves to the new time once that is stored; a running one stays", () => {
    const scene = new Scene();
    scene.create("mail", "later", { dueAt: scene.now + 60_000 });
    scene.create("mail", "queued");
    const dueAt = scene.now + 5_000;
    const keys = ["mail/later", "mail/queued", "mail/unknown"];
    const commands = scene.give({ type: "reschedule", keys, dueAt });
    scene.register("w", 5, ["mail"]);
    assert.deepEqual(only(scene.tick(), "assign"), [], "not dispatched before it is stored");
    scene.store(commands);
    const places = () => [...scene.state.live.values()].map((run) => `${run.id} ${placeOf(run)} ${run.attempt}`);
    assert.deepEqual(places(), ["later scheduled 1", "queued scheduled 1"]);
    scene.live(5_000);
    assert.deepEqual(places(), ["later running 1", "queued running 1"]);
    assert.deepEqual(only(scene.give({ type: "reschedule", keys, dueAt: scene.now + 1 }), "append"), []);
    scene.report("w", "mail/later", "retry", { dueAt: scene.now + 60_000 });
    scene.store(scene.give({ type: "reschedule", keys: ["mail/later"], dueAt: 0 }));
    assert.deepEqual(places(), ["later queued 2", "queued running 1"]);
  });
});

describe("queries", () => {
  test("list what matches, newest first, page by page", () => {
    const scene = new Scene();
    for (const id of ["a", "b", "c"]) {
      scene.pass(1);
      scene.create("mail", id, { extra: { metadata: { of: id } } });
    }
    scene.report("w1", "mail/b", "completed");
    const all = listRuns(scene.state, {}, 2);
    assert.deepEqual([all.total, all.runs.map((r) => r.info.id)], [3, ["c", "b"]]);
    assert.deepEqual(
      listRuns(scene.state, {}, 2, all.runs[1]!.info.createdAt).runs.map((r) => r.info.id),
      ["a"],
    );
    assert.deepEqual(
      listRuns(scene.state, { state: ["completed"], metadata: { of: "b" } }, 9).runs.map((r) => r.info.id),
      ["b"],
    );
    assert.deepEqual(describeQueues(scene.state), [
      { task: "mail", paused: false, queued: 2, running: 0, scheduled: 0, retrying: 0, waiting: 0, workers: 0 },
    ]);
  });
});
