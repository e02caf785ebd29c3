import assert from "node:assert/strict";
import { parseAffinity } from "../../src/domain/affinity.ts";
import { parseConcurrency } from "../../src/domain/limits.ts";
import { placeOf } from "../../src/matching/attached.ts";
import { assignments, endings, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

describe("dispatch", () => {
  test("gives a worker what fits its slots in one command, and the rest waits", () => {
    const scene = new Scene();
    scene.register("w1", 2, ["mail"]);
    for (const id of ["a", "b", "c"]) scene.create("mail", id);
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a, mail/b"]);
    assert.deepEqual(assignments(scene.tick()), []);
    scene.report("w1", "mail/a", "completed");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/c"]);
  });

  test("prefers the worker with most free slots, and takes turns between equals", () => {
    const scene = new Scene();
    scene.register("w1", 3, ["mail"]);
    scene.register("w2", 2, ["mail"]);
    for (const id of ["a", "b", "c", "d", "e", "f"]) scene.create("mail", id);
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a, mail/c, mail/e", "w2: mail/b, mail/d"]);
  });

  describe("beyond the slots", () => {
    /** w1 has one slot, executes `mail/a`, and takes so many runs ahead. */
    const sceneOf = (ahead: number) => {
      const scene = new Scene();
      scene.register("w1", 1, ["mail"]);
      scene.create("mail", "a");
      scene.acknowledge(scene.tick(), [], ahead);
      return scene;
    };
    const create = (scene: Scene, ids: string) => {
      for (const id of ids) scene.create("mail", id);
      return scene.tick();
    };

    test("a worker gets as many runs as it takes ahead, and others as soon as those have ended", () => {
      const scene = sceneOf(2);
      const commands = create(scene, "bcde");
      assert.deepEqual(assignments(commands), ["w1: mail/b, mail/c"]);
      assert.equal(scene.state.workers.get("w1")!.free, -2);
      scene.acknowledge(commands, [], 2);
      assert.deepEqual(assignments(scene.tick()), []);
      for (const id of ["a", "b"]) scene.report("w1", `mail/${id}`, "completed");
      assert.deepEqual(assignments(scene.tick()), ["w1: mail/d, mail/e"]);
    });

    test("a run ahead takes the slot that becomes free: nothing else is assigned to it while that run executes", () => {
      const scene = sceneOf(2);
      scene.acknowledge(create(scene, "bc"), [], 2);
      for (const [id, kind] of [
        ["a", "completed"],
        ["c", "returned"],
      ] as const)
        scene.report("w1", `mail/${id}`, kind);
      assert.deepEqual(assignments(scene.tick()), []); // w1 executes b
      scene.report("w1", "mail/b", "completed");
      assert.deepEqual(assignments(scene.tick()), ["w1: mail/c"]);
    });

    test("free slots of other workers are filled first", () => {
      const scene = sceneOf(2);
      scene.register("w2", 2, ["mail"]);
      assert.deepEqual(assignments(create(scene, "bcd")), ["w2: mail/b, mail/c", "w1: mail/d"]);
    });

    test("a worker gets nothing there once it asks for nothing, refuses, gives back, or registers again", () => {
      const ends: ((scene: Scene, commands: Parameters<Scene["acknowledge"]>[0]) => unknown)[] = [
        (scene, commands) => scene.acknowledge(commands, [], 0),
        (scene, commands) => scene.acknowledge(commands, [0], 3),
        (scene) => scene.report("w1", "mail/b", "returned"),
        (scene) => scene.register("w1", 1, ["mail"], [scene.held("mail/a"), scene.held("mail/b")]),
        (scene, commands) =>
          scene.give({ type: "unacknowledged", id: "w1", batch: only(commands, "assign")[0]!.batch }),
      ];
      for (const end of ends) {
        const scene = sceneOf(3);
        const commands = create(scene, "b");
        assert.deepEqual(assignments(commands), ["w1: mail/b"]);
        end(scene, commands);
        assert.deepEqual(assignments(create(scene, "c")), []);
      }
    });

    test("a run with limits waits for a free slot", () => {
      const scene = sceneOf(2);
      const concurrency = parseConcurrency(5, "bill");
      scene.register("w2", 1, [{ name: "bill", policies: { concurrency } }]);
      scene.create("bill", "x");
      scene.acknowledge(scene.tick(), [], 2);
      scene.create("bill", "y");
      assert.deepEqual(assignments(scene.tick()), []);
    });
  });

  describe("beside the engine", () => {
    /** Single runs arrive in a steady stream: one a millisecond. */
    const busyScene = (near: number, far: number) => {
      const scene = new Scene({}, { process: "p" });
      for (let n = 0; n < 200; n++) {
        scene.pass(1);
        scene.matching.pace.note(scene.now, scene.now);
      }
      scene.register("far", far, ["mail"], [], false, "elsewhere");
      scene.register("near", near, ["mail"], [], false, "p");
      return scene;
    };

    test("an eighth of the slots is filled first; more runs than that are spread", () => {
      const scene = busyScene(16, 40);
      for (const id of ["a", "b", "c"]) scene.create("mail", id);
      assert.deepEqual(assignments(scene.tick()), ["far: mail/a, mail/b, mail/c"]);
      for (const id of ["d", "e"]) scene.create("mail", id);
      assert.deepEqual(assignments(scene.tick()), ["near: mail/d, mail/e"]);
      scene.create("mail", "f");
      assert.deepEqual(assignments(scene.tick()), ["far: mail/f"]);
      scene.report("near", "mail/d", "completed");
      scene.create("mail", "g");
      assert.deepEqual(assignments(scene.tick()), ["near: mail/g"]);
    });

    test("a worker with few slots gets one run first", () => {
      const scene = busyScene(2, 4);
      scene.create("mail", "a");
      assert.deepEqual(assignments(scene.tick()), ["near: mail/a"]);
      scene.create("mail", "b");
      assert.deepEqual(assignments(scene.tick()), ["far: mail/b"]);
    });

    test("no worker is filled first while the engine reads new runs late, or they come only now and then", () => {
      const scene = busyScene(100, 200);
      let id = 0;
      const workerOf = (passMs: number, delayMs = 0) => {
        scene.pass(passMs);
        scene.create("mail", `${++id}`, {}, scene.now - delayMs);
        const { worker } = only(scene.tick(), "assign")[0]!;
        scene.report(worker, `mail/${id}`, "completed");
        return worker;
      };
      assert.equal(workerOf(1), "near");
      assert.equal(workerOf(1, 400), "far");
      for (let n = 0; n < 200; n++) workerOf(1);
      assert.equal(workerOf(1), "near");
      assert.deepEqual([workerOf(1_000), workerOf(1_000)], ["far", "far"]);
      for (let n = 0; n < 200; n++) workerOf(10);
      assert.equal(workerOf(10), "near", "a hundred a second are a stream");
      for (let n = 0; n < 40; n++) workerOf(30);
      assert.equal(workerOf(30), "far");
    });

    test("a wish counts more", () => {
      const scene = busyScene(16, 16);
      const affinity = parseAffinity({ gpu: { value: "yes", comparator: "!=" } }, "test");
      scene.state.workers.get("near")!.labels = { gpu: "yes" };
      scene.create("mail", "a", { extra: { placement: { affinity } } });
      assert.deepEqual(assignments(scene.tick()), ["far: mail/a"]);
    });
  });

  test("spreads work when task sets only overlap", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail", "bill"]);
    scene.register("w2", 1, ["mail"]);
    scene.create("bill", "1");
    scene.create("mail", "1");
    assert.deepEqual(assignments(scene.tick()), ["w1: bill/1", "w2: mail/1"]);
  });

  test("goes by priority, then by age, across all tasks of a worker", () => {
    const scene = new Scene();
    scene.create("mail", "old");
    scene.create("bill", "older-than-last", { priority: 3 });
    scene.create("mail", "urgent", { priority: 9 });
    scene.create("mail", "last", { priority: 3 });
    scene.register("w1", 4, ["mail", "bill"]);
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/urgent, bill/older-than-last, mail/last, mail/old"]);
  });

  test("puts a returned run back before younger ones", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "first");
    scene.create("mail", "second");
    scene.tick();
    scene.report("w1", "mail/first", "returned");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/first"]);
    assert.equal(scene.state.live.get("mail/first")!.attempt, 1);
    assert.equal(scene.state.live.get("mail/first")!.turn, 2);
  });

  test("takes a task's own priority for runs that name none", () => {
    const scene = new Scene();
    scene.register("w1", 1, [{ name: "mail", priority: 5 }, "bill"]);
    scene.create("bill", "1", { priority: 4 });
    scene.create("mail", "1", { priority: 0 });
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/1"]);
  });

  test("offers a refused run again, but not to the same worker before it says something", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    scene.create("mail", "a");
    scene.acknowledge(scene.tick(), [0]);
    assert.deepEqual(assignments(scene.tick()), []);
    assert.equal(scene.state.live.get("mail/a")!.turn, 1);
    scene.beat("w1");
    assert.deepEqual(assignments(scene.tick()), ["w1: mail/a"]);
  });

  test("a slot is free when its worker says that the code has ended, and its run is still the worker's until the outcome is stored", () => {
    const scene = new Scene();
    scene.register("w", 1, ["mail"]);
    for (const id of ["a", "b", "c"]) scene.create("mail", id);
    scene.acknowledge(scene.tick());
    const [a, worker] = [scene.state.live.get("mail/a")!, scene.state.workers.get("w")!];
    const ended = { type: "ended", id: "w", attempts: [{ origin: a.origin, turn: 1 }] } as const;
    for (const said of [ended, ended, { ...ended, attempts: [{ origin: a.origin, turn: 2 }] }]) scene.give(said);
    assert.deepEqual([worker.busy, placeOf(a)], [0, "running"]);
    assert.deepEqual(assignments(scene.tick()), ["w: mail/b"]);
    scene.report("w", "mail/a", "completed");
    assert.deepEqual([worker.busy, worker.ledger.size], [1, 1]);
    scene.give(ended);
    assert.deepEqual(assignments(scene.tick()), []);
  });

  test("a run whose code has ended is lost with its worker, if its outcome is not stored", () => {
    const scene = new Scene();
    scene.register("w", 1, ["mail"]);
    scene.create("mail", "a");
    scene.acknowledge(scene.tick());
    const { origin } = scene.state.live.get("mail/a")!;
    scene.give({ type: "ended", id: "w", attempts: [{ origin, turn: 1 }] });
    assert.deepEqual(endings(scene.give({ type: "leave", id: "w" })), ["lost mail/a"]);
  });

  test("gives a worker no more than a thousand runs that it has not acknowledged", () => {
    const scene = new Scene();
    scene.register("w", 10_000, ["mail"]);
    const ids = Array.from({ length: 200 }, (_, i) => `${i}`);
    for (let i = 0; i < 20; i++)
      scene.bundle(
        "mail",
        `b${i}`,
        ids.map((id) => `${i}-${id}`),
      );
    for (let rest = 4_000; rest > 0; rest -= 1_000) {
      const commands = scene.tick();
      assert.deepEqual(
        only(commands, "assign").map(({ runs }) => runs.length),
        [1_000],
      );
      assert.deepEqual(assignments(scene.tick()), []);
      scene.acknowledge(commands);
    }
    assert.deepEqual(assignments(scene.tick()), []);
  });

  test("gives nothing to a quiet worker", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"], [], true);
    scene.create("mail", "a");
    assert.deepEqual(assignments(scene.tick()), []);
  });

  test("warns when a task is declared otherwise, and goes by the newest declaration", () => {
    const scene = new Scene();
    scene.register("w1", 1, ["mail"]);
    const [warning] = only(scene.register("w2", 1, [{ name: "mail", timeoutMs: 5 }]), "log");
    assert.match(warning!.message, /task "mail".*timeoutMs 60000 → 5/);
    assert.equal(scene.matching.queueOf("mail").definition!.timeoutMs, 5);
  });
});
