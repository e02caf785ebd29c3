// Runs that kill the process that executes them: how many they kill, and that no other run pays for it.

import assert from "node:assert/strict";
import type { LiveRun } from "../../../src/fold/live-run.ts";
import { placeOf } from "../../../src/matching/attached.ts";
import type { Command } from "../../../src/matching/commands.ts";
import type { Tried } from "../../../src/matching/suspects/tried.ts";
import { workerOf } from "../../../src/matching/workers.ts";
import { describeRun } from "../../../src/requests/describe.ts";
import type { SchedulerEvent } from "../../../src/scheduler/events.ts";
import { assignments, endings, only, Scene } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";

/** What outlives processes: the log, and the record of what was tried. */
class Store {
  readonly log: SchedulerEvent[] = [];
  tried: readonly Tried[] = [];
  seq = 0;
  now = 1_000_000;

  create(id: string): void {
    this.seq++;
    const entry = { form: 0, priority: 1, createdAt: this.now, dueAt: 0, scheduleTimeoutMs: undefined } as const;
    this.log.push({
      type: "entry",
      seq: this.seq,
      at: this.now,
      task: "t",
      id,
      entry: { ...entry, inbox: "", extra: undefined },
    });
  }
  keep(scene: Scene, commands: readonly Command[]): void {
    for (const { tried } of only(commands, "storeTried")) this.tried = tried;
    const outcomes = only(commands, "append").flatMap((command) => command.outcomes);
    if (outcomes.length > 0) this.#append(scene, { by: "engine", writer: `e${scene.state.epoch}`, outcomes });
  }
  complete(scene: Scene, worker: string, key: string): void {
    const { turn, origin } = scene.state.live.get(key)!;
    const outcome = { kind: "completed", key, turn, origin, at: scene.now, dueAt: 0, detail: undefined } as const;
    this.#append(scene, { by: "worker", writer: worker, outcomes: [outcome] });
  }
  #append(scene: Scene, said: Pick<Extract<SchedulerEvent, { type: "outcomes" }>, "by" | "writer" | "outcomes">): void {
    const event = { type: "outcomes" as const, seq: ++this.seq, at: scene.now, ...said };
    this.log.push(event);
    scene.give(event);
  }
}

/** One life of the only process, which is engine and worker; it ends when it executes the poison, and the next one may see that (`isSeen`). */
function live(store: Store, epoch: number, poison: string, slots: number, isSeen = false): "died" | "idle" {
  const scene = new Scene({}, "standby");
  scene.now = store.now;
  const process = `p${epoch}`;
  for (const event of store.log) scene.give(event);
  const knownWorkers = epoch === 1 ? [] : [`w${epoch - 1}`];
  const details = new Map(knownWorkers.map((id) => [id, { id, process: `p${epoch - 1}` }]));
  scene.give({ type: "lead", epoch, knownWorkers, details, tried: store.tried, process });
  scene.register(`w${epoch}`, slots, ["t"], [], false, process);
  for (let second = 0; second < 40; second++) {
    scene.pass(1_000);
    for (const id of knownWorkers) scene.give({ type: "unreachable", id, isDead: isSeen });
    scene.beat(
      `w${epoch}`,
      [...scene.state.live.values()].filter(isRunningOn(`w${epoch}`)).map(({ key }) => scene.held(key)),
    );
    const commands = scene.tick();
    store.keep(scene, commands);
    store.now = scene.now;
    const runs = only(commands, "assign").flatMap((command) => command.runs);
    scene.acknowledge(commands);
    if (runs.some(({ key }) => key === poison)) return "died";
    for (const { key } of runs) store.complete(scene, `w${epoch}`, key);
  }
  return "idle";
}
const isRunningOn = (id: string) => (run: LiveRun) => placeOf(run) === "running" && workerOf(run)?.id === id;

describe("a poison run", () => {
  for (const isSeen of [false, true])
    test(`that kills the process of its leader again and again is given up after the limit and one, its end ${isSeen ? "seen" : "unseen"}`, () => {
      const store = new Store();
      store.create("poison");
      let deaths = 0;
      while (deaths < 40 && live(store, deaths + 1, "t/poison", 1, isSeen) === "died") deaths++;
      assert.equal(deaths, 11);
      const last = store.log.at(-1) as Extract<SchedulerEvent, { type: "outcomes" }>;
      const [{ kind, detail }] = last.outcomes as [(typeof last.outcomes)[0]];
      assert.equal(kind, "failed");
      const { error, attempts } = detail as unknown as {
        error: { name: string; message: string };
        attempts: readonly unknown[];
      };
      assert.equal(error.name, "WorkerLost");
      assert.match(
        error.message,
        /^the worker of t\/poison died 10 times, the last time while nothing else was executing/,
      );
      assert.equal(attempts.length, 10);
    });

  test("takes no other run along for ever: all complete", () => {
    const store = new Store();
    for (const id of ["a", "poison", "b", "c"]) store.create(id);
    let deaths = 0;
    while (deaths < 40 && live(store, deaths + 1, "t/poison", 5) === "died") deaths++;
    assert.ok(deaths <= 11, `${deaths} deaths`);
    const ended = store.log.flatMap((event) =>
      event.type === "outcomes" ? event.outcomes.map(({ kind, key }) => `${kind} ${key}`) : [],
    );
    assert.deepEqual(ended.filter((text) => !text.startsWith("lost")).sort(), [
      "completed t/a",
      "completed t/b",
      "completed t/c",
      "failed t/poison",
    ]);
  });
});

/** A leader whose log has lost a run several times already. */
function sceneWithSuspect(lost = 3): Scene {
  const scene = new Scene({}, { process: "p0" });
  scene.create("t", "suspect");
  for (let i = 0; i < lost; i++) scene.report("gone", "t/suspect", "lost", { detail: undefined });
  assert.equal(scene.state.live.get("t/suspect")!.lost, lost);
  return scene;
}

describe("a suspect", () => {
  test("waits until nothing executes in a process, and nothing joins it there", () => {
    const scene = new Scene({}, { process: "p0" });
    scene.register("w", 3, ["t"], [], false, "p1");
    scene.register("v", 3, ["t"], [], false, "p1");
    scene.create("t", "before");
    assert.deepEqual(assignments(scene.tick()), ["w: t/before"]);
    scene.create("t", "suspect");
    for (let i = 0; i < 3; i++) scene.report("gone", "t/suspect", "lost");
    scene.create("t", "after");
    assert.deepEqual(assignments(scene.tick()), []);
    assert.match(
      describeRun(scene.state, "t/suspect")!.info.waiting!.because,
      /worker died 3 times while executing it, so it is tried again alone/,
    );
    assert.match(describeRun(scene.state, "t/after")!.info.waiting!.because, /is being tried there alone/);
    scene.report("w", "t/before", "completed");
    const alone = scene.tick();
    assert.equal(
      only(alone, "assign")
        .flatMap(({ runs }) => runs)
        .map(({ id }) => id)
        .join(),
      "suspect",
    );
    scene.acknowledge(alone);
    assert.deepEqual(assignments(scene.tick()), []);
    scene.report(only(alone, "assign")[0]!.worker, "t/suspect", "completed");
    assert.equal(only(scene.tick(), "assign").flatMap(({ runs }) => runs)[0]!.id, "after");
  });

  test("takes the process that is idle; others go on elsewhere", () => {
    const scene = sceneWithSuspect();
    scene.create("t", "a");
    scene.create("t", "b");
    scene.register("w1", 1, ["t"], [], false, "p1");
    scene.register("w2", 1, ["t"], [], false, "p2");
    const assigned = assignments(scene.tick());
    assert.equal(assigned.length, 2);
    assert.ok(assigned.some((text) => text.endsWith(": t/suspect")));
    assert.ok(assigned.some((text) => text.endsWith(": t/a")));
  });

  test("does not keep a busy process free for longer than 30 s, but before its last try", () => {
    for (const [lost, isTried] of [
      [3, true],
      [9, false],
    ] as const) {
      const scene = new Scene({}, { process: "p0" });
      scene.register("w", 3, [{ name: "t", scheduleTimeoutMs: null }], [], false, "p1");
      scene.create("t", "long");
      scene.acknowledge(scene.tick());
      scene.create("t", "suspect", { scheduleTimeoutMs: null });
      for (let i = 0; i < lost; i++) scene.report("gone", "t/suspect", "lost");
      const all: Command[] = [];
      for (let i = 0; i < 35; i++) {
        all.push(...scene.live(1_000));
        scene.beat("w", [scene.held("t/long")]);
      }
      assert.equal(assignments(all).includes("w: t/suspect"), isTried, `after ${lost} losses`);
    }
  });

  test("that is lost beside others is not given up, and one that is cancelled while it waits frees its key", () => {
    const scene = new Scene({ lostLimit: 2 }, { process: "p0" });
    scene.create("t", "suspect");
    scene.report("gone", "t/suspect", "lost");
    scene.register("w", 3, ["t"], [], false, "p1");
    scene.create("t", "busy");
    scene.register("w", 3, ["t"], [{ ...scene.held("t/busy") }], false, "p1");
    assert.deepEqual(assignments(scene.tick()), []);
    scene.store(scene.give({ type: "cancel", keys: ["t/suspect"], reason: "test" }));
    assert.deepEqual(endings(scene.tick()), []);
    assert.equal(scene.matching.suspects.length, 0);
    assert.equal(scene.matching.isolated.size, 0);
  });

  test("is placed like any run again when its engine steps down", () => {
    const scene = sceneWithSuspect();
    scene.register("w", 1, ["t"], [], false, "p1");
    scene.create("t", "busy", { priority: 3 });
    scene.tick();
    scene.give({ type: "stepDown" });
    scene.give({ type: "lead", epoch: 9, knownWorkers: [] });
    scene.register("v", 1, ["t"], [], false, "p2");
    scene.report("w", "t/busy", "completed");
    assert.deepEqual(assignments(scene.tick()), ["v: t/suspect"]);
  });
});

describe("caution", () => {
  test("costs nothing where no leader died", () => {
    const scene = new Scene({}, { process: "p0" });
    scene.register("w", 5, ["t"], [], false, "p0");
    scene.create("t", "a");
    assert.deepEqual(only(scene.tick(), "storeTried"), []);
    assert.equal(only(scene.commands, "assign")[0]!.isNoted, undefined);
  });

  test("ends when all workers come back, and concerns only what was there when a leader died", () => {
    const scene = new Scene({}, { knownWorkers: ["w"], process: "p0" });
    scene.register("w", 5, ["t"], [], false, "p0");
    scene.create("t", "a");
    assert.deepEqual(only(scene.tick(), "storeTried"), []);

    const cautious = new Scene({}, "standby");
    cautious.create("t", "a");
    cautious.give({ type: "lead", epoch: 8, knownWorkers: ["gone"], process: "p0" });
    cautious.register("w", 5, ["t"], [], false, "p0");
    const commands = cautious.live(3_000);
    assert.deepEqual(only(commands, "storeTried").at(-1)!.tried, [{ key: "t/a", turn: 1, worker: "w" }]);
    assert.ok(commands.findIndex((c) => c.type === "storeTried") < commands.findIndex((c) => c.type === "assign"));
    assert.equal(only(commands, "assign")[0]!.isNoted, true);
    cautious.create("t", "b");
    assert.deepEqual(only(cautious.tick(), "storeTried"), []);
  });

  test("a worker that executes what was noted of another one is believed", () => {
    const scene = new Scene({}, "standby");
    scene.create("t", "a");
    const tried = [{ key: "t/a", turn: 1, worker: "old" }];
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["old", "w"], tried, process: "p9" });
    assert.equal(workerOf(scene.state.live.get("t/a")!)!.id, "old");
    const commands = scene.register("w", 1, ["t"], [scene.held("t/a")]);
    assert.deepEqual(only(commands, "cancelOn"), []);
    assert.equal(workerOf(scene.state.live.get("t/a")!)!.id, "w");
    scene.give({ type: "unreachable", id: "old" });
    assert.deepEqual(endings(scene.live(4_000)), []);
  });

  test("what a leader before noted stays noted until it has ended, whatever this one notes, after a crash and after a hand-over", () => {
    for (const ledger of [undefined, [{ key: "t/a", turn: 1, worker: "w" }]]) {
      const scene = new Scene({}, "standby");
      for (const id of ["a", "b"]) scene.create("t", id);
      const noted = { key: "t/a", turn: 1, worker: "w" };
      const cautious = { upTo: 5, left: 9 };
      scene.give({ type: "lead", epoch: 8, knownWorkers: ["w"], ledger, tried: [noted], cautious, process: "p0" });
      scene.register("w", 1, ["t"], [scene.held("t/a")], false, "p0");
      scene.register("v", 1, ["t"], [], false, "p1");
      const beside = { key: "t/b", turn: 1, worker: "v" };
      assert.deepEqual(only(scene.live(3_000), "storeTried").at(-1)!.tried, [noted, beside]);
      scene.report("w", "t/a", "completed");
      scene.create("t", "c");
      scene.report("gone", "t/c", "lost");
      assert.deepEqual(only(scene.tick(), "storeTried").at(-1)!.tried, [beside, { ...noted, key: "t/c", turn: 2 }]);
    }
  });

  test("what was noted and lost stays noted until the log has its loss: a leader that dies before that cannot tell of it", () => {
    const scene = new Scene({}, "standby");
    for (const id of ["a", "b"]) scene.create("t", id);
    const noted = { key: "t/a", turn: 1, worker: "w" };
    const cautious = { upTo: 5, left: 9 };
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w"], tried: [noted], cautious, process: "p0" });
    scene.give({ type: "unreachable", id: "w", isDead: true });
    const lost = scene.live(12_000);
    assert.deepEqual(endings(lost), ["lost t/a"]);
    scene.register("v", 1, ["t"], [], false, "p0");
    const beside = { key: "t/b", turn: 1, worker: "v" };
    assert.deepEqual(only(scene.tick(), "storeTried").at(-1)!.tried, [noted, beside]);
    scene.store(lost);
    scene.report("v", "t/b", "completed");
    const again = { ...noted, turn: 2, worker: "v" };
    assert.deepEqual(only(scene.live(3_000), "storeTried").at(-1)!.tried, [again]);
  });

  test("a run that a worker in the leader's process is found to execute is noted, and one elsewhere only if it was lost before", () => {
    const scene = new Scene({}, "standby");
    for (const id of ["ours", "elsewhere", "lost"]) scene.create("t", id);
    scene.report("gone", "t/lost", "lost");
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w", "v", "gone"], process: "p0" });
    const ofOurs = scene.register("w", 1, ["t"], [scene.held("t/ours")], false, "p0");
    const ours = { key: "t/ours", turn: 1, worker: "w" };
    assert.deepEqual(only(ofOurs, "storeTried").at(-1)?.tried, [ours]);
    const others = [scene.held("t/elsewhere"), scene.held("t/lost")];
    const ofOthers = scene.register("v", 2, ["t"], others, false, "p1");
    assert.deepEqual(only(ofOthers, "storeTried").at(-1)?.tried, [ours, { key: "t/lost", turn: 2, worker: "v" }]);
    assert.deepEqual(only(scene.beat("v", others), "storeTried"), []);
  });
});
