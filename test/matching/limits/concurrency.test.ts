// Keyed concurrency: who may start, in what order, and what becomes of the others.

import assert from "node:assert/strict";
import { parseConcurrency } from "../../../src/domain/limits.ts";
import { placeOf } from "../../../src/matching/attached.ts";
import { knownWorkers } from "../../../src/matching/unseen/known-workers.ts";
import { workerOf } from "../../../src/matching/workers.ts";
import { declarationOf, endings, only, Scene } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";
import { assigned, bytes, create, running, sceneWith, waiting } from "./scene.ts";

const concurrency = (...given: Parameters<typeof parseConcurrency>[0][]) => ({
  concurrency: given.flatMap((one) => parseConcurrency(one, "test")),
});
describe("keyed concurrency", () => {
  test("a key of the metadata does not look at the input, whatever that holds", () => {
    const scene = sceneWith(concurrency({ key: "metadata.of", max: 1 }));
    scene.create("mail", "a", { input: new Uint8Array(5_000), extra: { metadata: { of: "x" } } });
    assert.deepEqual(assigned(scene), ["a"]);
  });

  test("never more than max of a key; a waiting run stops no other key", () => {
    const scene = sceneWith(concurrency({ key: "input.user", max: 2 }));
    for (let i = 0; i < 5; i++) create(scene, `a${i}`, { user: "a" });
    for (let i = 0; i < 3; i++) create(scene, `b${i}`, { user: "b" });
    assert.deepEqual(assigned(scene).sort(), ["a0", "a1", "b0", "b1"]);
    assert.deepEqual(waiting(scene, "mail/a3"), {
      for: "a concurrency limit",
      because: '2 of 2 allowed runs with input.user = "a" are executing',
      position: 2,
    });
    scene.report("w", "mail/a1", "completed");
    assert.deepEqual(assigned(scene), ["a2"]);
    scene.report("w", "mail/b0", "failed");
    scene.report("w", "mail/b1", "completed");
    assert.deepEqual(assigned(scene), ["b2"]);
  });

  test("keys take turns, whoever came with how many", () => {
    const scene = sceneWith(concurrency({ key: "input.user", max: 1 }), 1);
    for (let i = 0; i < 4; i++) create(scene, `a${i}`, { user: "a" });
    for (const user of ["b", "c"]) for (let i = 0; i < 2; i++) create(scene, `${user}${i}`, { user });
    const order: string[] = [];
    for (let [id] = assigned(scene); id !== undefined; [id] = assigned(scene)) {
      order.push(id);
      scene.report("w", `mail/${id}`, "completed");
    }
    assert.deepEqual(order, ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "a3"]);
  });

  test("priority goes before turns", () => {
    const scene = sceneWith(concurrency({ key: "input.user", max: 1 }), 1);
    create(scene, "a0", { user: "a" });
    create(scene, "b0", { user: "b" });
    create(scene, "b1", { user: "b" }, { priority: 3 });
    assert.deepEqual(assigned(scene), ["b1"]);
    create(scene, "a1", { user: "a" }, { priority: 2 });
    scene.report("w", "mail/b1", "completed");
    assert.deepEqual(assigned(scene), ["a1"]);
  });

  test("stacked limits all hold, and one that is full stops only its own", () => {
    const scene = sceneWith(concurrency(5, { key: "input.user", max: 2 }, { key: "input.model", max: 3 }));
    const users = ["a", "b", "c", "d"];
    for (let i = 0; i < 40; i++) create(scene, `r${i}`, { user: users[i % 4], model: i % 3 === 0 ? "x" : "y" });
    for (let turn = 0; turn < 60; turn++) {
      assigned(scene);
      const now = running(scene).map((run) => JSON.parse(new TextDecoder().decode(run.input!)));
      assert.ok(now.length <= 5);
      for (const user of users) assert.ok(now.filter((input) => input.user === user).length <= 2);
      for (const model of ["x", "y"]) assert.ok(now.filter((input) => input.model === model).length <= 3);
      const isFull = (field: "user" | "model", max: number, value: string) =>
        now.filter((input) => input[field] === value).length >= max;
      for (const run of scene.state.live.values()) {
        if (placeOf(run) !== "queued" || now.length === 5) continue;
        const { user, model } = JSON.parse(new TextDecoder().decode(run.input!));
        assert.ok(isFull("user", 2, user) || isFull("model", 3, model), `${run.key} waits for nothing`);
      }
      const first = running(scene)[turn % Math.max(now.length, 1)];
      if (first !== undefined) scene.report("w", first.key, "completed");
    }
    assert.equal(scene.state.live.size, 0);
  });

  test("cancel-in-progress leaves the newest, cancel-newest the oldest", () => {
    const newest = sceneWith(concurrency({ key: "input.user", max: 1, strategy: "cancel-in-progress" }));
    create(newest, "a", { user: "u" });
    assert.deepEqual(assigned(newest), ["a"]);
    create(newest, "b", { user: "u" });
    create(newest, "c", { user: "u" });
    const commands = newest.tick();
    assert.deepEqual(endings(commands), ["cancelling mail/a", "cancelled mail/b"]);
    assert.deepEqual(
      only(commands, "cancelOn")[0]!.runs[0]!.reason,
      "a newer run of input.user arrived (cancel-in-progress)",
    );
    newest.store(commands);
    newest.report("w", "mail/a", "cancelled");
    assert.deepEqual(assigned(newest), ["c"]);

    const oldest = sceneWith(concurrency({ key: "input.user", max: 1, strategy: "cancel-newest" }));
    create(oldest, "a", { user: "u" });
    create(oldest, "b", { user: "u" });
    create(oldest, "other", { user: "v" });
    const both = oldest.tick();
    assert.deepEqual(endings(both), ["cancelled mail/b"]);
    assert.deepEqual(
      only(both, "assign").flatMap(({ runs }) => runs.map((run) => run.id)),
      ["a", "other"],
    );
  });

  test("an expression without a value fails its run alone", () => {
    const scene = sceneWith(concurrency({ key: "input.user", max: 1 }));
    create(scene, "bad", {});
    create(scene, "good", { user: "a" });
    const commands = scene.tick();
    assert.deepEqual(endings(commands), ["failed mail/bad"]);
    const [failed] = only(commands, "append")[0]!.outcomes;
    assert.equal((failed!.detail as { error: { name: string } }).error.name, "KeyNotFound");
    create(scene, "sealed", { $sealed: "k1:…", plan: "solo" });
    const { error } = only(scene.tick(), "append")[0]!.outcomes[0]!.detail as { error: { message: string } };
    assert.match(error.message, /its input is encrypted, and whoever enqueued it did not declare this field plain/);
    assert.deepEqual(
      only(commands, "assign").flatMap(({ runs }) => runs.map((run) => run.id)),
      ["good"],
    );
  });

  test("an input that is not in memory is read first", () => {
    const scene = new Scene({ inputBudgetBytes: 1 });
    scene.register("w", 5, [{ ...declarationOf("mail"), policies: concurrency({ key: "input.user", max: 1 }) }]);
    create(scene, "a", { user: "u" });
    create(scene, "b", { user: "u" });
    const asked = only(scene.tick(), "readInput");
    assert.deepEqual(
      asked.map(({ run }) => run.id),
      ["a", "b"],
    );
    for (const { run } of asked) scene.give({ type: "input", run, input: bytes({ user: "u" }) });
    assert.deepEqual(assigned(scene), ["a"]);
  });

  test("a new leader counts what it finds executing, and a lost worker's slot is free", () => {
    const scene = new Scene({}, { knownWorkers: ["w"] });
    create(scene, "a", { user: "u" });
    create(scene, "b", { user: "u" });
    const declared = { ...declarationOf("mail"), policies: concurrency({ key: "input.user", max: 1 }) };
    scene.register("w", 5, [declared], [scene.held("mail/b")]);
    assert.deepEqual(assigned(scene), []);
    scene.register("w2", 5, [declared]);
    scene.store(scene.give({ type: "leave", id: "w" }));
    assert.deepEqual(assigned(scene), ["a"]);
  });

  describe("a worker that is cut off and may go on executing", () => {
    const declared = { ...declarationOf("mail"), policies: concurrency({ key: "input.user", max: 1 }) };
    /** Its run is lost and queued again; another worker is there. */
    function cutOff(): Scene {
      const scene = new Scene();
      scene.register("w", 5, [declared]);
      create(scene, "a", { user: "u" });
      create(scene, "b", { user: "u" });
      const commands = scene.tick();
      scene.acknowledge(commands);
      scene.beat("w", [scene.held("mail/a")]);
      scene.register("w2", 5, [declared]);
      scene.give({ type: "unreachable", id: "w" });
      scene.store(scene.live(2_000));
      assert.equal(scene.state.live.get("mail/a")!.lost, 1);
      return scene;
    }

    test("counts until it has been silent for 40 s", () => {
      const scene = cutOff();
      for (let second = 2; second < 40; second++) {
        assert.deepEqual(assigned(scene), [], `after ${second} s`);
        scene.pass(1_000);
        scene.beat("w2");
      }
      assert.deepEqual(assigned(scene), ["a"]);
      assert.deepEqual(assigned(scene), []);
    });

    test("counts until its second heartbeat if it did not acknowledge: the first may be older than what it accepted", () => {
      for (const accepts of [false, true]) {
        const scene = new Scene();
        scene.register("w", 5, [declared]);
        create(scene, "a", { user: "u" });
        const [assign] = only(scene.tick(), "assign");
        scene.register("w2", 5, [declared]);
        create(scene, "b", { user: "u" });
        scene.store(scene.give({ type: "unacknowledged", id: "w", batch: assign!.batch }));
        scene.beat("w");
        assert.deepEqual(assigned(scene), []);
        scene.beat("w", accepts ? [{ ...scene.held("mail/a"), turn: 1 }] : []);
        assert.deepEqual(assigned(scene), accepts ? [] : ["a"]);
      }
    });

    test("counts until it says that it executes nothing, or has stopped what it did", () => {
      const idle = cutOff();
      idle.register("w", 5, [declared]);
      assert.deepEqual(assigned(idle), ["a"]);

      const busy = cutOff();
      const held = { ...busy.held("mail/a"), turn: 1 };
      busy.register("w", 5, [declared], [held]);
      assert.deepEqual(assigned(busy), []);
      for (let second = 0; second < 45; second++) {
        busy.live(1_000);
        busy.beat("w", [held]);
        busy.beat("w2");
      }
      assert.equal(placeOf(busy.state.live.get("mail/a")!), "queued");
      busy.beat("w");
      assert.deepEqual(assigned(busy), ["a"]);
    });

    test("counts until its outcome is in the log, or it leaves", () => {
      const reported = cutOff();
      reported.report("w", "mail/a", "completed", { turn: 1 });
      assert.deepEqual(assigned(reported), ["b"]);
      const left = cutOff();
      left.give({ type: "leave", id: "w" });
      assert.deepEqual(assigned(left), ["a"]);
    });

    test("counts under new limits", () => {
      const scene = cutOff();
      scene.register("w2", 5, [{ ...declared, policies: concurrency({ key: "input.user", max: 2 }) }]);
      assert.deepEqual(assigned(scene), ["a"]);
      assert.deepEqual(assigned(scene), []);
    });

    test("stops counting at once when its process has ended", () => {
      const after = cutOff();
      after.give({ type: "unreachable", id: "w", isDead: true });
      assert.deepEqual(assigned(after), ["a"]);

      const scene = new Scene();
      scene.register("w", 5, [declared]);
      scene.register("w2", 5, [declared]);
      create(scene, "a", { user: "u" });
      scene.acknowledge(scene.tick());
      const { id } = workerOf(scene.state.live.get("mail/a")!)!;
      scene.give({ type: "unreachable", id, isDead: true });
      scene.store(scene.live(2_000));
      assert.deepEqual(assigned(scene), ["a"]);
    });

    test("is known to the next leader, with the tasks whose keys it may count for", () => {
      const scene = cutOff();
      assert.deepEqual(knownWorkers(scene.matching), [
        { id: "w", keyed: ["mail"] },
        { id: "w2", keyed: ["mail"], process: "w2" },
      ]);
    });
  });

  describe("for a new leader that a known worker has not answered", () => {
    const declared = { ...declarationOf("mail"), policies: concurrency({ key: "input.user", max: 1 }) };
    const other = { ...declarationOf("bill"), policies: concurrency(1) };
    /** "w" may execute any of the two runs of a key; a plain run and one of another limited task wait as well. */
    function led(keyed?: readonly string[]): Scene {
      const scene = new Scene({}, "standby");
      for (const id of ["a", "b"]) create(scene, id, { user: "u" });
      for (const task of ["plain", "bill"]) scene.create(task, "c");
      const details = new Map([["w", { id: "w", keyed }]]);
      scene.give({ type: "lead", epoch: 8, knownWorkers: ["w"], details });
      scene.register("w2", 5, [declared, "plain", other]);
      return scene;
    }

    test("no run of a limited task starts until that worker has answered, or must have stopped", () => {
      const answers = led();
      assert.deepEqual(assigned(answers), []);
      answers.pass(2_000);
      assert.deepEqual(assigned(answers), ["c"], "the plain one");
      assert.match(waiting(answers, "mail/a")!.because, /has not reported to the new engine/);
      answers.register("w", 5, [declared], [answers.held("mail/b")]);
      assert.deepEqual(assigned(answers), ["c"], "that of the other task");
      answers.report("w", "mail/b", "completed");
      assert.deepEqual(assigned(answers), ["a"]);

      const silent = led();
      for (let second = 0; second < 39; second++) {
        silent.store(silent.live(1_000));
        silent.beat(
          "w2",
          Array.from(running(silent), ({ key }) => silent.held(key)),
        );
      }
      assert.deepEqual(
        running(silent).map((run) => run.key),
        ["plain/c"],
      );
      silent.pass(1_000);
      assert.deepEqual(assigned(silent), ["a", "c"]);
    });

    test("tasks that it does not have start with all others, and so does everything when its process has ended", () => {
      const scene = led(["mail"]);
      scene.pass(2_000);
      assert.deepEqual(assigned(scene), ["c", "c"]);
      scene.give({ type: "unreachable", id: "w", isDead: true });
      assert.deepEqual(assigned(scene), ["a"]);
      const dead = led();
      dead.give({ type: "unreachable", id: "w", isDead: true });
      assert.deepEqual(assigned(dead).sort(), ["a", "c", "c"]);
    });

    test("what a worker says to execute counts for its key, though the run has another turn by now", () => {
      const scene = new Scene({}, "standby");
      create(scene, "a", { user: "u" });
      const held = scene.held("mail/a");
      scene.report("e1", "mail/a", "lost");
      scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
      scene.register("w", 5, [declared], [held]);
      scene.register("w2", 5, [declared]);
      assert.deepEqual(assigned(scene), []);
      scene.beat("w");
      assert.deepEqual(assigned(scene), ["a"]);
    });
  });

  test("a worker that declares other limits puts what waits under them", () => {
    const scene = sceneWith(concurrency({ key: "input.user", max: 1 }));
    for (const id of ["a", "b", "c"]) create(scene, id, { user: "u" });
    assert.deepEqual(assigned(scene), ["a"]);
    scene.register("w2", 5, [{ ...declarationOf("mail"), policies: concurrency({ key: "input.user", max: 2 }) }]);
    assert.deepEqual(assigned(scene), ["b"]);
    scene.register("w3", 5, ["mail"]);
    assert.deepEqual(assigned(scene), ["c"]);
  });

  for (const [before, after] of [
    [undefined, concurrency({ max: 2 })],
    [concurrency({ max: 1 }), undefined],
    [concurrency({ max: 1 }), concurrency({ max: 2 })],
  ])
    test(`a run that was rescheduled while ${JSON.stringify(before)} became ${JSON.stringify(after)} starts when it is due`, () => {
      const scene = sceneWith(before ?? {}, 1);
      for (const id of ["first", "late"]) create(scene, id, {});
      assert.deepEqual(assigned(scene), ["first"]);
      scene.store(scene.give({ type: "reschedule", keys: ["mail/late"], dueAt: scene.now + 1_000 }));
      scene.register("w2", 5, [{ ...declarationOf("mail"), ...(after && { policies: after }) }]);
      scene.tick();
      scene.report("w", "mail/first", "completed");
      scene.pass(1_000);
      assert.deepEqual(assigned(scene), ["late"]);
    });
});
