// Schedules through leaders that come and go: a bucket with compare-and-set, a log that may forget, and a clock.
import assert from "node:assert/strict";
import { type CronOptions, parseCron } from "../../src/domain/cron.ts";
import type { CronRecord, StoredCron } from "../../src/domain/cron-record.ts";
import type { Command } from "../../src/matching/commands.ts";
import { declaredOver, pausedAs } from "../../src/reactions/cron-record.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const minute = 60_000;
const rule = (expression: string, options: CronOptions = {}) => parseCron(expression, "task", options, "test");
const everyMinute = (options: CronOptions = {}): CronRecord =>
  declaredOver(
    undefined,
    { rule: rule("* * * * *", { name: "every-minute", ...options }), task: "task", origin: "api" },
    start,
  );
const tick = (n: number) => `every-minute:${new Date(start + n * minute).toISOString()}`;

class World {
  now = start;
  readonly bucket = new Map<string, StoredCron>();
  /** The ids of all runs that were ever created, in order. */
  readonly created: string[] = [];
  /** Those that the log still knows. */
  readonly known = new Set<string>();
  #seq = 0;
  #epoch = 0;

  put(record: CronRecord): StoredCron {
    const stored = { record, seq: ++this.#seq };
    this.bucket.set(record.name, stored);
    return stored;
  }
  get record(): CronRecord {
    return this.bucket.get("every-minute")!.record;
  }
  create(id: string): void {
    if (this.known.has(id)) return;
    this.known.add(id);
    this.created.push(id);
  }
  lead(livesSince?: number): Leader {
    return new Leader(this, ++this.#epoch, livesSince);
  }
}

/** An engine that knows what the bucket had when it was made. */
class Leader extends Scene {
  readonly #world: World;
  readonly #livesSince: number | undefined;
  readonly warnings: string[] = [];
  /** Does what it is told only when it is told to. */
  isSlow = false;

  constructor(world: World, epoch: number, livesSince: number | undefined) {
    super({}, "standby");
    this.#world = world;
    this.#livesSince = livesSince;
    this.now = world.now;
    this.give({ type: "briefed", briefing: { crons: [...world.bucket.values()] } });
    this.give({ type: "lead", epoch, knownWorkers: [] });
  }
  /** A tick, and all that follows from it. */
  look(at = this.#world.now): readonly Command[] {
    this.#world.now = at;
    for (let isBusy = true; isBusy; ) {
      this.now = at;
      const commands = this.give({
        type: "tick",
        ...(this.#livesSince !== undefined && { livesSince: this.#livesSince }),
      });
      if (this.isSlow) return commands;
      isBusy = this.carryOut(commands);
    }
    return [];
  }
  carryOut(commands: readonly Command[]): boolean {
    for (const { message } of only(commands, "log")) this.warnings.push(message);
    const writes = only(commands, "storeCron");
    for (const { record, over } of writes) {
      const isOurs = (this.#world.bucket.get(record.name)?.seq ?? 0) === over.seq;
      if (isOurs) this.#world.put(record);
      const there = this.#world.bucket.get(record.name);
      this.carryOut(this.give({ type: "cronWritten", name: record.name, isOurs, there }));
    }
    const reactions = only(commands, "react");
    for (const { n, reaction } of reactions) {
      this.#world.create(reaction.id);
      this.carryOut(this.give({ type: "reacted", n }));
    }
    return writes.length + reactions.length > 0;
  }
}

describe("crons", () => {
  test("each tick is one run, whoever fires it: two leaders, a new one after a crash, a clock that goes back", () => {
    const world = new World();
    world.put(everyMinute());
    const [first, second] = [world.lead(), world.lead()];
    first.look(start + minute);
    second.look();
    second.look(start + 2 * minute);
    first.look();
    const third = world.lead();
    third.look(start + 30_000);
    third.look(start + 3 * minute);
    assert.deepEqual(world.created, [tick(1), tick(2), tick(3)]);
    assert.equal(world.record.lastTick, start + 3 * minute);
    assert.equal(world.record.firing, undefined);
  });

  test("a tick whose run was forgotten meanwhile is not created again by a leader that knows an older record", () => {
    const world = new World();
    world.put(everyMinute());
    const [first, second] = [world.lead(), world.lead()];
    first.look(start + minute);
    world.known.clear();
    second.look();
    assert.deepEqual(world.created, [tick(1)]);
    second.look(start + 2 * minute);
    assert.deepEqual(world.created, [tick(1), tick(2)]);
  });

  test("a leader that died between its claim and the run loses nothing, and one that died after the run repeats nothing", () => {
    const world = new World();
    world.put({
      ...everyMinute({ catchUp: "none" }),
      lastTick: start + minute,
      firing: { by: "dead", ticks: [start + minute] },
    });
    world.now = start + 5 * minute + 30_000;
    world.lead().look();
    assert.deepEqual(world.created, [tick(1)]);
    assert.equal(world.record.firing, undefined);
    world.put({ ...world.record, firing: { by: "dead too", ticks: [start + minute] } });
    world.lead().look();
    assert.deepEqual(world.created, [tick(1)]);
  });

  test("the run of a claimed tick is not forgotten before the claim is released: whoever leads next would create it again", () => {
    const scene = new Scene({ keepCount: 1, housekeepingDelayMs: 0 }, "standby");
    scene.now = start + minute;
    for (const id of [tick(1), "next"]) {
      scene.create("task", id);
      scene.report("w", `task/${id}`, "completed");
    }
    const record = { ...everyMinute(), lastTick: start + minute };
    const crons = [{ record: { ...record, firing: { by: "dead", ticks: [start + minute] } }, seq: 1 }];
    scene.give({ type: "briefed", briefing: { crons } });
    scene.give({ type: "lead", epoch: 7, knownWorkers: [] });
    const claim = only(scene.live(5_000), "storeCron")[0]!.record;
    scene.give({ type: "cronWritten", name: record.name, isOurs: true, there: { record: claim, seq: 2 } });
    assert.deepEqual(claim.firing!.ticks, [start + minute]);
    assert.deepEqual(only(scene.live(5_000), "purge"), []);
    scene.give({ type: "cronChanged", name: record.name, there: { record, seq: 3 } });
    assert.notEqual(only(scene.live(1_000), "purge").length, 0);
  });

  test("the claim of a schedule that cannot be evaluated is released for what was created, and does not stop retention", () => {
    const scene = new Scene({ keepCount: 1, housekeepingDelayMs: 0 }, "standby");
    for (const id of [tick(1), "next"]) {
      scene.create("task", id);
      scene.report("w", `task/${id}`, "completed");
    }
    const firing = { by: "dead", ticks: [start + minute, start + 2 * minute] };
    const record = { ...everyMinute(), expression: "never", firing };
    scene.give({ type: "briefed", briefing: { crons: [{ record, seq: 1 }] } });
    scene.give({ type: "lead", epoch: 7, knownWorkers: [] });
    const [write, ...others] = only(scene.live(5_000), "storeCron");
    assert.deepEqual([write!.record.firing?.ticks, others], [[start + 2 * minute], []]);
    scene.give({ type: "cronWritten", name: record.name, isOurs: true, there: { record: write!.record, seq: 2 } });
    assert.notEqual(only(scene.live(1_000), "purge").length, 0);
  });

  test("a claim that took long to store is not fired: another leader may have found it", () => {
    const world = new World();
    world.put(everyMinute());
    const leader = world.lead();
    leader.isSlow = true;
    const claim = leader.look(start + minute);
    leader.now += 2_500;
    leader.isSlow = false;
    leader.carryOut(claim);
    assert.deepEqual(world.created, []);
    leader.look(start + minute + 3_000);
    assert.deepEqual(world.created, [tick(1)]);
  });

  test("a schedule that is changed while its ticks are created is released as it is by then", () => {
    const world = new World();
    world.put(everyMinute());
    const leader = world.lead();
    leader.isSlow = true;
    const [write] = only(leader.look(start + minute), "storeCron");
    const there = world.put(write!.record);
    const [react] = only(leader.give({ type: "cronWritten", name: "every-minute", isOurs: true, there }), "react");
    const paused = world.put(pausedAs(world.record, true, world.now));
    leader.give({ type: "cronChanged", name: "every-minute", there: paused });
    world.create(react!.reaction.id);
    leader.give({ type: "reacted", n: react!.n });
    leader.isSlow = false;
    leader.look();
    assert.deepEqual([world.record.paused, world.record.firing, world.created], [true, undefined, [tick(1)]]);
  });

  for (const lastTick of [start + 3_600_000, 1e300])
    test(`a last tick of the future (${lastTick}), written by a wrong clock, stops nothing`, () => {
      const world = new World();
      world.put({ ...everyMinute(), lastTick });
      const leader = world.lead();
      leader.look();
      leader.look(start + minute);
      assert.deepEqual(world.created, [tick(1)]);
      assert.match(
        leader.warnings[0]!,
        /every-minute.* in the future, so a clock was wrong; the cron continues from now/,
      );
    });

  test("a change of leaders that takes minutes misses no tick, as a standby lived through it", () => {
    const world = new World();
    world.put(everyMinute());
    world.now += 3 * minute + 30_000;
    world.lead(start).look();
    assert.deepEqual(world.created, [1, 2, 3].map(tick));
  });

  for (const [catchUp, expected] of [
    ["none", []],
    ["last", [tick(5)]],
    ["all", [1, 2, 3, 4, 5].map(tick)],
  ] as const)
    test(`five minutes without an engine, catchUp "${catchUp}"`, () => {
      const world = new World();
      world.put(everyMinute({ catchUp }));
      world.now += 5 * minute + 30_000;
      const leader = world.lead();
      leader.look();
      assert.deepEqual(world.created, expected);
      assert.equal(leader.warnings.length, catchUp === "all" ? 0 : 1);
    });

  test("nothing of a pause is made up for", () => {
    const world = new World();
    world.put(pausedAs(everyMinute({ catchUp: "all" }), true, start));
    world.now += 5 * minute + 20_000;
    const leader = world.lead();
    leader.look();
    assert.equal(leader.state.leadership!.crons.list()[0]!.nextTick, undefined);
    leader.give({
      type: "cronChanged",
      name: "every-minute",
      there: world.put(pausedAs(world.record, false, world.now)),
    });
    leader.look();
    leader.look(start + 6 * minute);
    assert.deepEqual(world.created, [tick(6)]);
  });

  test("a leader is woken for the next tick, and looks at its schedules no more often than that", () => {
    const world = new World();
    world.put(everyMinute());
    const leader = world.lead();
    leader.now = start + minute - 300;
    const [wake] = only(leader.tick(), "wake");
    assert.equal(wake!.at, start + minute);
  });
});
