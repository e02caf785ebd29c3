// Children are ordinary runs: their ids say whose they are, their outcomes wake their parent, and none outlives the wish for it.
import assert from "node:assert/strict";
import { childIdOf } from "../../../src/domain/durable.ts";
import type { Command } from "../../../src/matching/commands.ts";
import { only } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";
import { children, DurableScene, offers, signal } from "./scene.ts";

const endings = (commands: readonly Command[]) =>
  only(commands, "append").flatMap(({ outcomes }) => outcomes.map(({ kind, key }) => `${kind} ${key}`));

class Family extends DurableScene {
  /** A parent that executes, and its children by place. */
  parent(id: string, size: number, ordinal = 0, atOnce?: number): string[] {
    const origin = this.create("flow", id);
    this.start();
    return Array.from({ length: size }, (_, place) => this.child(id, origin, ordinal, place, atOnce));
  }
  child(parent: string, origin: number, ordinal: number, place: number, atOnce?: number): string {
    const id = childIdOf({ origin, lap: 1, ordinal, place });
    const extra = {
      metadata: { "natchet.parent": `flow/${parent}` },
      ...(atOnce !== undefined && { placement: { atOnce } }),
    };
    this.create("leaf", id, { extra });
    return `leaf/${id}`;
  }
}

describe("children", () => {
  test("wake their parent once, when the last of them has ended, and say where their results stand", () => {
    const scene = new Family();
    scene.staff();
    const [a, b] = scene.parent("p", 2) as [string, string];
    scene.park("flow/p", [children(0, 2)]);
    assert.equal(scene.because("flow/p"), 'for 2 of its 2 children, runs of task "leaf"');
    scene.start();
    scene.report("w1", b, "failed");
    const second = scene.seq;
    assert.equal(scene.place("flow/p"), "waiting");
    assert.equal(scene.because("flow/p"), 'for 1 of its 2 children, runs of task "leaf"');
    scene.report("w1", a, "completed");
    assert.deepEqual(offers(scene.tick(), "flow/p"), [`children 0: ${scene.seq}.0 ${second}.0`]);
  });

  test("cannot be erased as long as their parent waits for them, whether a mark has met them or not", () => {
    const scene = new Family();
    scene.staff();
    const [a, b] = scene.parent("p", 2) as [string, string];
    scene.park("flow/p", [children(0, 2)]);
    scene.start();
    scene.report("w1", a, "completed");
    assert.deepEqual(endings(scene.give({ type: "erase", keys: [a] })), []);
    scene.report("w1", b, "completed");
    scene.start();
    scene.report("w1", "flow/p", "completed");
    assert.deepEqual(endings(scene.give({ type: "erase", keys: [a] })), [`erased ${a}`]);
  });

  test("of a group that fails fast wake it when the first has failed", () => {
    const scene = new Family();
    scene.staff();
    const [a] = scene.parent("p", 3) as [string];
    scene.park("flow/p", [children(0, 3, true)]);
    scene.start();
    scene.report("w1", a, "failed");
    assert.deepEqual(offers(scene.tick(), "flow/p"), [`children 0: ${scene.seq}.0 - -`]);
  });

  test("of a group that fails fast are cancelled once one has failed, though they hold the slot that their parent needs to say so", () => {
    const scene = new Family();
    scene.staff("w1", 3);
    const [a, b, c, d] = scene.parent("p", 4) as [string, string, string, string];
    assert.deepEqual(scene.start(), [a, b]);
    scene.report("w1", a, "failed");
    const first = scene.seq;
    assert.deepEqual(scene.start(), [c]);
    const parks = scene.park("flow/p", [children(0, 4, true)]);
    assert.deepEqual(endings(parks).sort(), [`cancelled ${d}`, `cancelling ${b}`, `cancelling ${c}`].sort());
    const isStored = scene.store(parks);
    assert.deepEqual(offers([...parks, ...isStored, ...scene.tick()], "flow/p"), [`children 0: ${first}.0 - - -`]);
  });

  test("of a group that fails fast are cancelled when the first fails while their parent waits; those that settle are not", () => {
    const scene = new Family();
    scene.staff("w1", 9);
    const [a, b] = scene.parent("p", 2) as [string, string];
    const [c] = scene.parent("q", 2) as [string];
    scene.park("flow/p", [children(0, 2, true)]);
    scene.park("flow/q", [children(0, 2)]);
    scene.start();
    assert.deepEqual(endings(scene.report("w1", a, "failed")), [`cancelling ${b}`]);
    assert.deepEqual(endings(scene.report("w1", c, "failed")), []);
  });

  test("wake their parent also if a leader has read nothing of them but their ends, because their entries were moved ahead of it", () => {
    for (const metadata of [{ "natchet.parent": "flow/p" }, undefined]) {
      const scene = new Family();
      scene.staff();
      const origin = scene.create("flow", "p");
      scene.start();
      scene.park("flow/p", [children(0, 1)]);
      scene.seq++; // where the child's entry was
      const detail = { createdAt: scene.now, priority: 1, attempts: [], ...(metadata && { metadata }) };
      const key = `leaf/${childIdOf({ origin, lap: 1, ordinal: 0, place: 0 })}`;
      scene.report("w2", key, "completed", { origin: scene.seq, detail });
      assert.deepEqual(offers(scene.tick(), "flow/p"), [`children 0: ${scene.seq}.0`]);
    }
  });

  test("that ended before their parent parked are not missed", () => {
    const scene = new Family();
    scene.staff();
    const [a] = scene.parent("p", 1) as [string];
    scene.start();
    scene.report("w1", a, "completed");
    const end = scene.seq;
    scene.park("flow/p", [children(0, 1)]);
    assert.deepEqual(offers(scene.tick(), "flow/p"), [`children 0: ${end}.0`]);
  });

  test("are cancelled when their parent ends, goes on without them, or was gone before they came", () => {
    const scene = new Family();
    scene.staff("w1", 1);
    const [a] = scene.parent("p", 1) as [string];
    const origin = scene.state.live.get("flow/p")!.origin;
    assert.deepEqual(endings(scene.report("w1", "flow/p", "completed")), [`cancelled ${a}`]);
    const late = scene.child("p", origin, 7, 0);
    assert.deepEqual(endings(scene.commands.slice(-1)), [`cancelled ${late}`]);

    const [b, c] = scene.parent("q", 2) as [string, string];
    const goesOn = scene.park("flow/q", [signal(1, "x")], { ops: 2 });
    assert.deepEqual(endings(goesOn), [`cancelled ${b}`, `cancelled ${c}`]);
  });

  test("that are executed are told, and stay wanted while their parent has not come to say otherwise", () => {
    const scene = new Family();
    scene.staff();
    const [a] = scene.parent("p", 1) as [string];
    scene.start();
    assert.deepEqual(endings(scene.park("flow/p", [children(0, 1)])), []);
    assert.deepEqual(endings(scene.give({ type: "cancel", keys: ["flow/p"], reason: "x", kill: true })), [
      "cancelled flow/p",
    ]);
    const commands = scene.store(scene.commands.slice(-1));
    assert.deepEqual(endings(commands), [`cancelling ${a}`]);
    assert.deepEqual(
      only(commands, "cancelOn").flatMap(({ runs }) => runs.map(({ kind, key }) => `${kind} ${key}`)),
      [`cancel ${a}`, "fence flow/p"].filter((stop) => stop.startsWith("cancel")),
    );
  });

  test("are not cancelled by a leader that has skipped something: their parent may be what it lacks", () => {
    const scene = new Family({}, "standby");
    scene.answersEnd = false;
    scene.seq = 9;
    const key = scene.child("p", 5, 0, 0);
    scene.give({ type: "lead", epoch: 8, knownWorkers: [] });
    assert.deepEqual(endings(scene.tick()), []);
    const parked = { lap: 1, ops: 1, waits: [children(0, 1)], cursors: {}, journalSeq: 1 };
    const state = {
      asOf: 9,
      origin: 5,
      turn: 2,
      attempt: 1,
      lost: 0,
      dueAt: 0,
      readyAt: 0,
      retrying: false,
      history: [],
    };
    scene.create("flow", "p", { form: 1, extra: { state: { ...state, parked } } });
    const { gaps } = scene.state.fold;
    assert.deepEqual(endings(scene.give({ type: "heard", at: scene.now, gaps })), []);
    const orphan = scene.child("gone", 3, 0, 0);
    assert.deepEqual(endings(scene.commands.slice(-1)), [`cancelled ${orphan}`]);
    assert.equal(scene.place(key), "queued");
  });

  test("of a map start so many at once, also for a leader that finds others executing", () => {
    const scene = new Family();
    scene.staff("w1", 50);
    const all = scene.parent("p", 5, 0, 2);
    scene.park("flow/p", [children(0, 5)]);
    assert.deepEqual(scene.start(), all.slice(0, 2));
    assert.equal(scene.because(all[4]!), "as many of its siblings as may be (2) are under way");
    scene.report("w1", all[1]!, "failed");
    assert.deepEqual(scene.start(), [all[2]]);
    const held = [scene.held(all[0]!), scene.held(all[2]!)];
    scene.give({ type: "stepDown" });
    scene.give({ type: "lead", epoch: 8, knownWorkers: ["w1"] });
    scene.register("w1", 50, [{ name: "flow", durable: { version: 1, code: "c1", deadlineMs: null } }, "leaf"], held);
    assert.deepEqual(scene.start(), []);
    for (const [done, next] of [
      [0, 3],
      [2, 4],
    ] as const) {
      scene.report("w1", all[done]!, "completed");
      assert.deepEqual(scene.start(), [all[next]]);
    }
    for (const left of [3, 4]) scene.report("w1", all[left]!, "completed");
    assert.equal(scene.matching.siblings.size, 0);
    assert.deepEqual(scene.start(), ["flow/p"]);
  });
});

describe("a result that a parent needs", () => {
  const pins = (commands: readonly Command[]) =>
    only(commands, "compact").flatMap(({ runs }) =>
      runs.map(
        ({ key, entry, resultAt }) =>
          `${key} ${JSON.stringify(entry.extra?.state)?.includes("pinned")} ${JSON.stringify(resultAt)}`,
      ),
    );

  test("outlives marks in an entry of its own, and goes when nobody waits for it any more", () => {
    const scene = new Family({ keepCount: 2, housekeepingDelayMs: 0 });
    scene.staff("w1", 50);
    const [a, b] = scene.parent("p", 2) as [string, string];
    scene.park("flow/p", [children(0, 2)]);
    scene.start();
    scene.report("w1", a, "completed");
    const end = scene.seq;
    for (let i = 0; i < 6; i++) {
      scene.create("leaf", `${i}`);
      scene.start();
      scene.report("w1", `leaf/${i}`, "completed");
    }
    const commands = scene.live(1_000);
    assert.deepEqual(pins(commands), [`${a} true ${JSON.stringify({ seq: end, index: 0 })}`]);
    scene.answerPurges(commands);
    const [{ runs }] = only(commands, "compact") as [Extract<Command, { type: "compact" }>];
    scene.create("leaf", a.slice(5), { ...runs[0]!.entry, input: new Uint8Array(4) });
    const entry = scene.seq;
    for (let i = 0; i < 12; i++) {
      const more = scene.live(1_000);
      scene.answerPurges(more);
      scene.store(more);
    }
    assert.ok(scene.state.finished.has(a), "no mark forgets it");
    assert.ok(!scene.state.finished.has("leaf/0"));
    scene.beat("w1", [scene.held(b)]);
    scene.report("w1", b, "completed");
    assert.deepEqual(offers(scene.tick(), "flow/p"), [`children 0: ${entry}.-1 ${scene.seq}.0`]);
    scene.acknowledge(scene.commands.slice(-9));
    scene.park("flow/p", [signal(1, "x")], { ops: 2 });
    assert.deepEqual(pins(scene.live(2_000)), [`${a} false undefined`]);
  });
});
