// Who may store runs may also store an entry under the name of one that is there, and the log keeps the newest of a subject.
import assert from "node:assert/strict";
import { utf8 } from "../../src/wire/bytes.ts";
import { assignments, only, Scene } from "../scheduler/scene.ts";
import { describe, test } from "../support/harness.ts";

const [first, other] = [utf8('"first"'), utf8('"other"')];
const inputOf = (scene: Scene, key: string) => scene.state.live.get(key)?.input;

/** Stores what the leader wrote, and folds it. */
function move(scene: Scene, [compact]: ReturnType<typeof only<"compact">>): void {
  const { key, entry } = compact!.runs[0]!;
  scene.create("t", key.slice(2), { ...entry, input: first });
}

describe("an entry over that of another run", () => {
  test("a run that waits keeps its input, and its leader puts it back, once", () => {
    const scene = new Scene();
    const seq = scene.create("t", "a", { input: first, priority: 3 });
    const forged = scene.create("t", "a", { input: other, priority: 9, inbox: "_INBOX.other.new" });
    const run = scene.state.live.get("t/a")!;
    assert.deepEqual([run.seq, run.priority, run.inbox, inputOf(scene, "t/a")], [seq, 3, "", first]);
    const commands = scene.tick();
    const [compact] = only(commands, "compact");
    const [{ inputSeq, entry } = {}] = compact!.runs;
    assert.deepEqual([compact!.name, compact!.expectSeq, inputSeq], ["t/a", forged, seq]);
    assert.deepEqual([entry!.form, entry!.extra?.state?.origin], [1, seq]);
    assert.match(only(commands, "log")[0]!.message, /stored over that of a live run/);
    assert.deepEqual(only(scene.tick(), "compact"), []);
    move(scene, [compact!]);
    assert.deepEqual([run.seq, scene.state.fold.displaced.size], [scene.seq, 0]);
    assert.deepEqual(only(scene.live(2_000), "compact"), []);
    // Whoever begins with what is left finds the same run.
    const next = new Scene();
    next.seq = forged;
    next.create("t", "a", { ...entry, input: first });
    next.register("w", 1, ["t"]);
    assert.deepEqual(assignments(next.tick()), ["w: t/a"]);
    assert.deepEqual([next.state.live.get("t/a")!.origin, inputOf(next, "t/a")], [seq, first]);
  });

  test("a standby that has seen it puts it back when it leads", () => {
    const scene = new Scene({}, "standby");
    scene.create("t", "a", { input: first });
    const forged = scene.create("t", "a", { input: other });
    scene.give({ type: "lead", epoch: 7, knownWorkers: [] });
    scene.give({ type: "heard", at: 0, gaps: 0 });
    assert.equal(only(scene.tick(), "compact")[0]!.expectSeq, forged);
  });

  test("one that pretends to be compacted by an engine is overwritten as well", () => {
    const scene = new Scene();
    const origin = scene.create("t", "a", { input: first });
    const state = {
      asOf: origin,
      origin,
      turn: 9,
      attempt: 9,
      lost: 0,
      dueAt: 0,
      readyAt: 0,
      retrying: false,
      history: [],
    };
    const forged = scene.create("t", "a", { form: 1, input: other, extra: { state } });
    const [compact] = only(scene.tick(), "compact");
    assert.deepEqual([compact!.expectSeq, (compact!.runs[0]!.entry.extra!.state as typeof state).turn], [forged, 1]);
    assert.deepEqual(inputOf(scene, "t/a"), first);
    move(scene, [compact!]);
    assert.deepEqual(only(scene.live(2_000), "compact"), []);
  });

  test("a bundle over another one: each run keeps its input", () => {
    const scene = new Scene();
    scene.bundle("t", "many", ["a", "b"], { input: first });
    const forged = scene.bundle("t", "many", ["a", "b", "c"], { input: other });
    const [compact] = only(scene.tick(), "compact");
    assert.deepEqual([compact!.isBundle, compact!.expectSeq], [true, forged]);
    assert.deepEqual(
      compact!.runs.map(({ key }) => key),
      ["t/a", "t/b", "t/c"],
    );
    assert.deepEqual(
      ["t/a", "t/b", "t/c"].map((key) => inputOf(scene, key)),
      [first, first, other],
    );
    scene.moveBundle(compact!);
    assert.deepEqual([scene.state.fold.displaced.size, only(scene.live(2_000), "compact")], [0, []]);
  });

  test("an input that is in no memory any more is not replaced by another one: the entry goes, and the run fails", () => {
    const scene = new Scene({ inputBudgetBytes: 0 });
    scene.create("t", "a", { input: first });
    const forged = scene.create("t", "a", { input: other });
    const commands = scene.tick();
    assert.deepEqual(only(commands, "compact"), []);
    assert.deepEqual(only(commands, "purge"), [{ type: "purge", filter: { key: "t/a" }, keepFrom: forged + 1 }]);
    scene.answerPurges(commands);
    assert.deepEqual(only(scene.live(2_000), "purge"), []);
    assert.equal(inputOf(scene, "t/a"), undefined);
  });

  test("a run that has ended before it was put back leaves nothing behind that looks like a new one", () => {
    const scene = new Scene({ garbageBatch: 1, housekeepingDelayMs: 0 });
    scene.create("t", "a", { input: first });
    const forged = scene.create("t", "a", { input: other });
    scene.report("w", "t/a", "completed");
    assert.equal(scene.state.finished.get("t/a")!.entrySeq, forged);
    assert.deepEqual(only(scene.live(200), "purge"), [{ type: "purge", filter: { task: "t" }, keepFrom: forged + 1 }]);
  });

  test("one over a finished run whose entry alone says so is replaced by that again", () => {
    const scene = new Scene();
    const state = { asOf: 4, origin: 1, kind: "completed" as const, seq: 2, index: 0, at: 1 };
    scene.seq = 4;
    scene.give({ type: "floor", outcomesFrom: 6 });
    scene.create("t", "a", { form: 2, extra: { state } });
    const forged = scene.create("t", "a", { input: other });
    const [compact] = only(scene.live(2_000), "compact");
    assert.deepEqual([compact!.expectSeq, compact!.runs[0]!.entry.form], [forged, 2]);
    move(scene, [compact!]);
    assert.deepEqual([scene.state.fold.displaced.size, scene.state.finished.get("t/a")!.isCompacted], [0, true]);
  });
});
