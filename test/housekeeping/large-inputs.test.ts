// Large inputs are not repeated in outcomes: the entry that holds one stays until its run is forgotten.

import assert from "node:assert/strict";
import { isListed, placeOf } from "../../src/matching/attached.ts";
import type { Command } from "../../src/matching/commands.ts";
import { largestCarriedInput } from "../../src/wire/carried-input.ts";
import type { CompactedFinished } from "../../src/wire/run-extra.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { test } from "../support/harness.ts";

type CompactCommand = Extract<Command, { type: "compact" }>;

const options = { garbageBatch: 1, housekeepingDelayMs: 0, keepCount: 1_000 };
const input = new Uint8Array(largestCarriedInput + 1);
const stays = { inputStays: true };
const entriesOf = (scene: Scene) => scene.state.fold.logOf("t").entries;

test("an input is large beyond what outcomes repeat", () => {
  const scene = new Scene();
  scene.create("t", "small", { input: input.subarray(1), priority: 9 });
  scene.create("t", "large", { input, priority: 9 });
  const of = (id: string) => scene.state.live.get(`t/${id}`)!;
  assert.deepEqual([of("small").isLarge, of("large").isLarge], [false, true]);
  assert.deepEqual([placeOf(of("large")), of("large").priority, isListed(of("large"))], ["queued", 9, true]);
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

/** Runs that are created and complete. */
function completeSome(scene: Scene, name: string, count: number): void {
  const ids = Array.from({ length: count }, (_, i) => `${name}${i}`);
  for (const id of ids) scene.create("t", id);
  for (const id of ids) scene.report("w", `t/${id}`, "completed");
}
/** What engine and server do with housekeeping, for a while. Returns what was compacted. */
function keepHouse(scene: Scene) {
  const all: CompactCommand[] = [];
  for (let round = 0; round < 10; round++) {
    const commands = scene.live(200);
    scene.answerPurges(commands);
    scene.store(commands);
    for (const command of only(commands, "compact")) {
      all.push(command);
      for (const { entry } of command.runs) scene.create("t", "large", { ...entry, input });
    }
  }
  return all;
}

test("garbage behind an input that stays is left until both are forgotten, however much it is", () => {
  const scene = new Scene({ ...options, keepCount: 200 });
  scene.create("t", "large", { input });
  scene.report("w", "t/large", "failed", stays);
  completeSome(scene, "a", 199);
  assert.deepEqual(keepHouse(scene), []);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [199, 1]);
  completeSome(scene, "b", 100);
  assert.deepEqual(keepHouse(scene), []);
  assert.deepEqual([scene.state.finished.size, scene.state.finished.has("t/large")], [200, false]);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [0, 0]);
});

test("a large run that ends long after those behind it moves to the tail once, in finished form, with its input, until it is forgotten", () => {
  const scene = new Scene({ ...options, keepCount: 10 });
  const seq = scene.create("t", "large", { input });
  completeSome(scene, "a", 150);
  const error = { name: "Error", message: "no", retryable: true };
  scene.report("w", "t/large", "failed", { ...stays, detail: { createdAt: 1, priority: 1, attempts: [], error } });
  const { origin } = scene.state.finished.get("t/large")!;
  const [moved, ...others] = keepHouse(scene).map(({ expectSeq, runs: [run] }) => [
    expectSeq,
    run?.inputSeq,
    run?.entry.form,
    (run?.entry.extra?.state as CompactedFinished | undefined)?.why,
  ]);
  assert.deepEqual([moved, others], [[seq, seq, 2, "Error: no"], []]);
  const run = scene.state.finished.get("t/large")!;
  assert.deepEqual([run.holdsInput, run.isCompacted, run.origin, run.entrySeq > seq], [true, true, origin, true]);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [0, 1]);
  completeSome(scene, "b", 150);
  keepHouse(scene);
  assert.deepEqual([scene.state.finished.size, scene.state.finished.has("t/large")], [10, false]);
  assert.deepEqual([entriesOf(scene).garbage, entriesOf(scene).kept], [0, 0]);
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
