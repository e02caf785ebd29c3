// Which worker gets a run: labels, staying where it was, and runs that take several slots.

import assert from "node:assert/strict";
import { type AffinityInput, parseAffinity, weightOf } from "../../src/domain/affinity.ts";
import { placeOf } from "../../src/matching/attached.ts";
import { workerOf } from "../../src/matching/workers.ts";
import { describeRun } from "../../src/requests/describe.ts";
import { assignments, declarationOf, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const affinity = (given: AffinityInput) => ({ affinity: parseAffinity(given, "test") });
const waiting = (scene: Scene, key: string) => describeRun(scene.state, key)?.info.waiting;

function register(scene: Scene, id: string, slots: number, labels: Record<string, string | number>, policies?: object) {
  const task = { ...declarationOf("mail"), ...(policies === undefined ? {} : { policies }) };
  const [, ...tasks] = [0, task, declarationOf("small")];
  const message = {
    v: 2 as const,
    id,
    name: id,
    slots,
    labels,
    runtime: "test",
    version: "0",
    quiet: false,
    tasks,
    executing: [],
  };
  scene.give({ type: "register", message });
}

describe("affinity", () => {
  test("each comparator", () => {
    const labels = { gpu: "a100", memory: 32 };
    const isMet = (given: AffinityInput) => weightOf(parseAffinity(given, "test"), labels) === 100;
    assert.ok(isMet({ gpu: "a100" }));
    assert.ok(isMet({ gpu: { value: "h100", comparator: "!=" } }));
    assert.ok(isMet({ nothing: { value: 1, comparator: "!=" } }));
    assert.ok(isMet({ memory: { value: 31, comparator: ">" } }));
    assert.ok(isMet({ memory: { value: 32, comparator: ">=" } }));
    assert.ok(isMet({ memory: { value: 33, comparator: "<" } }));
    assert.ok(isMet({ memory: { value: 32, comparator: "<=" } }));
    assert.ok(isMet({ gpu: { value: ["a100", "h100"], comparator: "in" } }));
    for (const comparator of [">", "<"] as const) assert.ok(!isMet({ memory: { value: 32, comparator } }));
    assert.ok(!isMet({ gpu: { value: "a100", comparator: "!=" } }));
    assert.ok(!isMet({ gpu: { value: ["h100"], comparator: "in" } }));
    assert.ok(!isMet({ gpu: { value: 1, comparator: ">" } }));
    assert.ok(!isMet({ memory: "32" }));
  });

  test("the highest sum of weights gets the run while it has a slot, then the next", () => {
    const scene = new Scene();
    const policies = affinity({ region: { value: "eu", weight: 10 }, gpu: { value: "a100", weight: 5 } });
    register(scene, "plain", 9, {}, policies);
    register(scene, "eu", 1, { region: "eu" }, policies);
    register(scene, "both", 1, { region: "eu", gpu: "a100" }, policies);
    for (const id of ["1", "2", "3"]) scene.create("mail", id);
    assert.deepEqual(assignments(scene.tick()), ["both: mail/1", "eu: mail/2", "plain: mail/3"]);
  });

  test("without a worker that meets what is required a run waits, says so, and stops nobody", () => {
    const scene = new Scene();
    register(scene, "w", 2, { gpu: "t4" });
    const placement = { affinity: parseAffinity({ gpu: { value: "a100", required: true } }, "test") };
    scene.create("mail", "demanding", { extra: { placement } });
    scene.create("mail", "plain");
    assert.deepEqual(assignments(scene.tick()), ["w: mail/plain"]);
    assert.deepEqual(waiting(scene, "mail/demanding"), {
      for: "a worker",
      because: 'no connected worker has gpu = "a100"',
      position: 1,
    });
    register(scene, "w", 2, { gpu: "a100" });
    assert.deepEqual(assignments(scene.tick()), ["w: mail/demanding"]);
  });

  test("a run's own wish goes before its task's for the same label, and survives a compaction", () => {
    const scene = new Scene();
    const policies = affinity({ region: { value: "eu", required: true } });
    register(scene, "eu", 5, { region: "eu" }, policies);
    register(scene, "us", 5, { region: "us" }, policies);
    const placement = { affinity: parseAffinity({ region: { value: "us", required: true } }, "test") };
    scene.create("mail", "own", { extra: { placement } });
    scene.create("mail", "task");
    assert.deepEqual(assignments(scene.tick()).sort(), ["eu: mail/task", "us: mail/own"]);
    const standby = new Scene({}, "standby");
    standby.create("mail", "own", { extra: { placement } });
    standby.give({ type: "lead", epoch: 9, knownWorkers: [] });
    register(standby, "eu", 5, { region: "eu" });
    assert.deepEqual(assignments(standby.tick()), []);
  });
});

describe("sticky", () => {
  const record = (worker: string) => {
    return { attempt: 1, turn: 1, worker, startedAt: 0, endedAt: 0, outcome: "retry" as const };
  };
  for (const sticky of ["soft", "hard"] as const) {
    test(`${sticky}: the next attempt goes where the one before was${sticky === "hard" ? ", or waits" : " while that has a slot"}`, () => {
      const scene = new Scene();
      register(scene, "a", 1, {}, { sticky });
      register(scene, "b", 5, {}, { sticky });
      scene.create("mail", "1");
      scene.acknowledge(scene.tick());
      const first = workerOf(scene.state.live.get("mail/1")!)!.id;
      assert.equal(first, "b");
      scene.create("mail", "filler");
      scene.report("b", "mail/1", "retry", { dueAt: 0, detail: { attempt: record("a") } });
      const [given] = assignments(scene.tick()).filter((line) => line.includes("mail/1"));
      assert.equal(given, "a: mail/1");
      scene.report("a", "mail/1", "retry", { dueAt: 0, detail: { attempt: record("a") } });
      scene.create("small", "x");
      scene.give({ type: "pauses", pauses: { namespace: false, tasks: [], workers: ["a"], resumedAt: {} } });
      const next = assignments(scene.tick()).filter((line) => line.includes("mail/1"));
      assert.deepEqual(next.length, sticky === "soft" ? 1 : 0);
    });
  }
});

describe("runs that take several slots", () => {
  test("all on one worker, never more than it has", () => {
    const scene = new Scene();
    register(scene, "w", 5, {}, { slots: 2 });
    for (const id of ["1", "2", "3"]) scene.create("mail", id);
    assert.deepEqual(assignments(scene.tick()), ["w: mail/1, mail/2"]);
    assert.equal(scene.state.workers.get("w")!.free, 1);
    assert.deepEqual(waiting(scene, "mail/3"), {
      for: "a slot",
      because: "it needs 2 slots on one worker, and no worker has more than 1 free",
      position: 1,
    });
    scene.create("small", "fits");
    assert.deepEqual(assignments(scene.tick()), ["w: small/fits"]);
    scene.report("w", "mail/1", "completed");
    assert.deepEqual(assignments(scene.tick()), ["w: mail/3"]);
  });

  test("a stream of small runs overtakes a large one a few times only", () => {
    const scene = new Scene();
    register(scene, "w", 5, {}, { slots: 4 });
    let n = 0;
    const create = () => scene.create("small", String(n++));
    for (let i = 0; i < 5; i++) create();
    scene.tick();
    scene.create("mail", "large");
    let overtakers = 0;
    for (let i = 0; i < 100; i++) {
      create();
      create();
      const [first] = scene.state.workers.get("w")!.bookings();
      if (first !== undefined) scene.report("w", first.key, "completed");
      const runs = only(scene.tick(), "assign").flatMap((command) => command.runs);
      if (runs.some((run) => run.id === "large")) break;
      overtakers += runs.length;
    }
    assert.equal(placeOf(scene.state.live.get("mail/large")!), "running");
    assert.ok(overtakers >= 1 && overtakers <= 10, String(overtakers));
    scene.report("w", "mail/large", "completed");
    assert.ok(assignments(scene.tick()).length > 0, "the small ones go on");
  });

  test("what is left of the slots that were kept for a large run is given out with it, and does not wait for the next look", () => {
    const scene = new Scene();
    register(scene, "w", 5, {}, { slots: 4 });
    for (let i = 0; i < 5; i++) scene.create("small", String(i));
    scene.tick();
    scene.create("mail", "large");
    for (let i = 5; i < 30; i++) scene.create("small", String(i));
    while (scene.matching.claimed.size === 0) {
      const [first] = scene.state.workers.get("w")!.bookings();
      scene.report("w", first!.key, "completed");
      scene.tick();
    }
    for (const { key } of scene.state.workers.get("w")!.bookings()) scene.report("w", key, "completed");
    const [assign] = only(scene.tick(), "assign");
    assert.deepEqual([assign!.runs.length, assign!.runs[0]!.key], [2, "mail/large"]);
    assert.equal(scene.state.workers.get("w")!.free, 0);
  });

  test("a claim on a worker that goes is no claim", () => {
    const scene = new Scene();
    register(scene, "a", 5, {}, { slots: 4 });
    for (let i = 0; i < 5; i++) scene.create("small", String(i));
    scene.tick();
    scene.create("mail", "large");
    for (let i = 5; i < 30; i++) scene.create("small", String(i));
    for (let i = 0; i < 10; i++) {
      const [first] = scene.state.workers.get("a")!.bookings();
      scene.report("a", first!.key, "completed");
      scene.tick();
    }
    assert.equal(scene.matching.claimed.size, 1);
    register(scene, "b", 5, {}, { slots: 4 });
    scene.give({ type: "leave", id: "a" });
    const runs = only(scene.tick(), "assign").flatMap((command) => command.runs.map((run) => run.key));
    assert.ok(runs.includes("mail/large"), runs.join());
    assert.equal(scene.matching.claimed.size, 0);
  });
});
