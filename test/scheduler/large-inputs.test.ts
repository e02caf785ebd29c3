// Large inputs are not repeated in outcomes: the entry that holds one stays until its run is forgotten.
import assert from "node:assert/strict";
import { largestCarriedInput } from "../../src/protocol/carried-input.ts";
import { test } from "../support/harness.ts";
import { only, Scene } from "./scene.ts";

const options = { garbageBatch: 1, housekeepingDelayMs: 0, keepCount: 1_000 };
const input = new Uint8Array(largestCarriedInput + 1);
const stays = { inputStays: true };
const entriesOf = (scene: Scene) => scene.state.queueOf("t").entries;

test("an input is large beyond what outcomes repeat", () => {
  const scene = new Scene();
  scene.create("t", "small", { input: input.subarray(1), priority: 9 });
  scene.create("t", "large", { input, priority: 9 });
  const of = (id: string) => scene.state.live.get(`t/${id}`)!;
  assert.deepEqual([of("small").isLarge, of("large").isLarge], [false, true]);
  assert.deepEqual([of("large").place, of("large").priority, of("large").isListed], ["queued", 9, true]);
});

test("the engine's own outcomes repeat small inputs only", () => {
  const scene = new Scene();
  const small = scene.create("t", "small", { input: input.subarray(1) });
  scene.create("t", "large", { input });
  const [append] = only(scene.give({ type: "cancel", keys: ["t/small", "t/large"], reason: "enough" }), "append");
  assert.deepEqual(
    append!.outcomes.map(({ inputSeq, inputStays }) => [inputSeq, inputStays]),
    [
      [small, false],
      [0, true],
    ],
  );
});

test("the entry of a finished run stays where its outcome says so, and holds up what lies behind it", () => {
  const scene = new Scene(options);
  const before = scene.create("t", "before");
  scene.create("t", "large", { input });
  scene.create("t", "behind");
  for (const id of ["before", "behind"]) scene.report("w", `t/${id}`, "completed");
  scene.report("w", "t/large", "completed", stays);
  const [purge, ...others] = only(scene.live(200), "purge");
  assert.deepEqual([purge?.keepFrom, others], [before + 1, []]);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [1, 1]);
});

test("what blocks much garbage moves to the tail in finished form, with its input, and again", () => {
  const scene = new Scene(options);
  let seq = scene.create("t", "large", { input });
  scene.report("w", "t/large", "failed", stays);
  const { origin } = scene.state.finished.get("t/large")!;
  for (const round of [1, 2]) {
    const ids = Array.from({ length: 30 }, (_, i) => `${round}-${i}`);
    for (const id of ids) scene.create("t", id);
    for (const id of ids) scene.report("w", `t/${id}`, "completed");
    const [compact] = only(scene.live(200), "compact");
    const [moved] = compact!.runs;
    assert.deepEqual([compact?.expectSeq, moved?.inputSeq, moved?.entry.form], [seq, seq, 2]);
    seq = scene.create("t", "large", { ...moved!.entry, input });
    const run = scene.state.finished.get("t/large")!;
    assert.deepEqual([run.entrySeq, run.holdsInput, run.isCompacted, run.origin], [seq, true, true, origin]);
    scene.answerPurges(scene.live(200));
    assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [0, 1]);
  }
});

test("who folds what is left knows where the input is, wherever the entry stands", () => {
  const scene = new Scene(options);
  scene.create("t", "large", { input });
  const { origin } = scene.state.live.get("t/large")!;
  const late = new Scene(options, "standby");
  late.seq = scene.seq;
  const state = { asOf: 1, origin, turn: 2, attempt: 2, lost: 0, dueAt: 0, readyAt: 0, retrying: false, history: [] };
  for (const each of [scene, late]) {
    each.report("w", "t/large", "completed", { ...stays, turn: 2, origin });
    each.create("t", "large", { form: 1, extra: { state }, input });
    const { entrySeq, holdsInput } = each.state.finished.get("t/large")!;
    assert.deepEqual([entrySeq, holdsInput], [3, true]);
  }
});

test("the entry of a duplicate is garbage: its input is another run's", () => {
  const scene = new Scene(options);
  const first = scene.create("t", "large", { input });
  scene.report("w", "t/large", "completed", stays);
  scene.give({ type: "purged", filter: { key: "t/large" }, keepFrom: first + 1 });
  const second = scene.create("t", "large", { input });
  assert.equal(scene.state.finished.get("t/large")!.holdsInput, false);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [1, 0]);
  assert.equal(only(scene.live(200), "purge")[0]?.keepFrom, second + 1);
});

test("forgetting takes the entries with it: by prefix, before the mark", () => {
  const scene = new Scene({ ...options, keepCount: 2 });
  for (const id of ["a", "b", "c", "d"]) scene.create("t", id, { input });
  for (const id of ["a", "b", "c", "d"]) scene.report("w", `t/${id}`, "completed", stays);
  const commands = scene.live(200);
  assert.deepEqual(only(commands, "purge"), [{ type: "purge", filter: { task: "t" }, keepFrom: 3 }]);
  assert.deepEqual(only(commands, "append"), []);
  scene.answerPurges(commands);
  scene.store(scene.live(200));
  assert.deepEqual([...scene.state.finished.keys()], ["t/c", "t/d"]);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [0, 2]);
});

test("forgotten entries behind many large ones are purged one by one: moving those would be more work", () => {
  const scene = new Scene({ ...options, keepCount: 10 });
  const late = Array.from({ length: 10 }, (_, i) => `late${i}`);
  const early = Array.from({ length: 150 }, (_, i) => `early${i}`);
  for (const id of [...late, ...early]) scene.create("t", id, { input });
  for (const id of [...early, ...late]) scene.report("w", `t/${id}`, "completed", stays);
  const commands = scene.live(200);
  assert.deepEqual(only(commands, "compact"), []);
  assert.equal(only(commands, "purge").length, early.length);
  scene.answerPurges(commands);
  scene.store(scene.live(200));
  assert.deepEqual(
    [...scene.state.finished.keys()],
    late.map((id) => `t/${id}`),
  );
});
