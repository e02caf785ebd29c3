import assert from "node:assert/strict";
import { describe, test } from "../support/harness.ts";
import { assignments, declarationOf, endings, only, Scene } from "./scene.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `task-${i}`);

/** Fails whoever passes over all queues. */
function forbidPasses({ state }: Scene): void {
  state.leadership!.matching.queues.values = () => {
    throw new Error("a pass over all queues");
  };
}

describe("tick", () => {
  test("looks only at queues that have something to do", () => {
    const scene = new Scene({ housekeepingDelayMs: 3_600_000 });
    scene.register("w1", 2, names(1_000));
    for (const task of names(1_000)) scene.create(task, "a");
    forbidPasses(scene);
    assert.deepEqual(assignments(scene.tick()), ["w1: task-0/a, task-1/a"]);
    scene.report("w1", "task-0/a", "completed");
    assert.deepEqual(assignments(scene.tick()), ["w1: task-2/a"]);
    scene.beat("w1", [scene.held("task-1/a"), scene.held("task-2/a")]);
    assert.equal(
      scene.live(5_000).some((command) => command.type === "assign"),
      false,
    );
  });

  test("expires the runs of each queue in time, also when a registration shortens the timeout, and not while it is paused", () => {
    const scene = new Scene();
    for (const task of ["short", "long", "paused"]) scene.create(task, "a");
    scene.tick();
    scene.register("w1", 0, [
      { name: "short", scheduleTimeoutMs: 10_000 },
      { name: "long", scheduleTimeoutMs: 20_000 },
      { name: "paused", scheduleTimeoutMs: 10_000 },
    ]);
    const paused = { namespace: false, tasks: ["paused"], workers: [], resumedAt: {} };
    scene.give({ type: "pauses", pauses: paused });
    assert.deepEqual(endings(scene.live(9_000)), []);
    assert.deepEqual(endings(scene.live(1_000)), ["cancelled short/a"]);
    assert.deepEqual(endings(scene.live(10_000)), ["cancelled long/a"]);
    scene.give({ type: "pauses", pauses: { ...paused, tasks: [], resumedAt: { paused: scene.now } } });
    assert.deepEqual(endings(scene.live(9_000)), []);
    assert.deepEqual(endings(scene.live(1_000)), ["cancelled paused/a"]);
  });

  test("expires a run that arrives in a queue whose first run has left it", () => {
    const scene = new Scene();
    scene.register("w1", 1, [{ ...declarationOf("t"), timeoutMs: 3_600_000 }]);
    scene.create("t", "a");
    scene.acknowledge(scene.tick());
    scene.live(20_000);
    scene.beat("w1", [scene.held("t/a")]);
    scene.create("t", "b");
    for (let i = 0; i < 29; i++) {
      scene.beat("w1", [scene.held("t/a")]);
      assert.deepEqual(endings(scene.live(10_000)), []);
    }
    scene.beat("w1", [scene.held("t/a")]);
    assert.deepEqual(endings(scene.live(10_000)), ["cancelled t/b"]);
  });
});

describe("collectGarbage", () => {
  test("forgets the queues of names that no worker registered, once nothing of them is in the log", () => {
    const scene = new Scene({ keepCount: 0, housekeepingDelayMs: 0 });
    scene.register("w1", 1, ["known"]);
    for (const task of names(100)) scene.create(task, "a");
    scene.give({ type: "cancel", keys: names(100).map((task) => `${task}/a`), reason: "test" });
    let commands = scene.commands.slice();
    for (let i = 0; i < 20; i++) {
      scene.store(commands);
      scene.answerPurges(commands);
      scene.beat("w1");
      commands = scene.live(1_000);
    }
    assert.deepEqual([...scene.matching.queues.keys()], ["known"]);
  });

  test("remembers so many names that somebody registered, and no more once nobody has them", () => {
    const scene = new Scene({ housekeepingDelayMs: 0 });
    scene.register("w1", 1, ["known"]);
    scene.register("w2", 1, names(10_500));
    scene.create("task-3", "a");
    scene.give({ type: "leave", id: "w2" });
    const forgotten: string[] = [];
    for (let i = 0; i < 20; i++) {
      scene.beat("w1");
      forgotten.push(...only(scene.live(1_000), "forgetTask").map(({ task }) => task));
    }
    assert.deepEqual([scene.matching.queues.size, forgotten.length], [10_000, 501]);
    assert.ok(!forgotten.includes("known") && !forgotten.includes("task-3"));
  });
});
