// Many runs in one entry of the log: each is a run like any other, and the entry goes when the last of them needs it no more.

import assert from "node:assert/strict";
import { entryOfOrigin } from "../../src/domain/origin.ts";
import { placeOf } from "../../src/matching/attached.ts";
import { assignments, only, Scene } from "../scheduler/scene.ts";
import { test } from "../support/harness.ts";

const options = { garbageBatch: 1, housekeepingDelayMs: 0, keepCount: 2 };

test("bundled runs are queued in their order, between those before and behind them", () => {
  const scene = new Scene();
  scene.create("t", "before");
  scene.bundle("t", "many", ["a", "b", "c"]);
  scene.create("t", "behind");
  scene.register("w", 10, ["t"]);
  assert.deepEqual(assignments(scene.tick()), ["w: t/before, t/a, t/b, t/c, t/behind"]);
  const origins = ["t/a", "t/b", "t/c"].map((key) => scene.state.live.get(key)!.origin);
  assert.equal(new Set(origins).size, 3);
  assert.deepEqual(origins.map(entryOfOrigin), [2, 2, 2]);
});

test("a run that comes back stands where it stood in its bundle", () => {
  const scene = new Scene();
  scene.bundle("t", "many", ["a", "b", "c"]);
  scene.register("w", 2, ["t"]);
  scene.acknowledge(scene.tick());
  scene.report("w", "t/b", "returned");
  scene.report("w", "t/a", "returned");
  scene.acknowledge(scene.tick());
  assert.deepEqual(
    ["a", "b", "c"].map((id) => placeOf(scene.state.live.get(`t/${id}`)!)),
    ["running", "running", "queued"],
  );
});

test("a bundle is purged when its last run has finished", () => {
  const scene = new Scene(options);
  const seq = scene.bundle("t", "many", ["a", "b"]);
  scene.create("t", "behind");
  scene.report("w", "t/a", "completed");
  assert.deepEqual(only(scene.live(200), "purge"), []);
  scene.report("w", "t/b", "completed");
  assert.deepEqual(only(scene.live(200), "purge"), [{ type: "purge", filter: { task: "t" }, keepFrom: seq + 1 }]);
});

test("what is left of a bundle that blocks much garbage moves to the tail under its name, and executes on", () => {
  const scene = new Scene({ ...options, keepCount: 1_000 });
  const ids = Array.from({ length: 40 }, (_, i) => `r${i}`);
  const seq = scene.bundle("t", "many", ids);
  for (const id of ids.slice(1)) scene.report("w", `t/${id}`, "completed");
  const [compact] = only(scene.live(200), "compact");
  assert.deepEqual([compact?.name, compact?.isBundle, compact?.expectSeq], ["many", true, seq]);
  assert.deepEqual(
    compact?.runs.map(({ key, inputSeq, entry }) => [key, inputSeq, entry.form]),
    [["t/r0", seq, 1]],
  );
  const moved = scene.moveBundle(compact!);
  const run = scene.state.live.get("t/r0")!;
  assert.deepEqual([run.seq, entryOfOrigin(run.origin)], [moved, seq]);
  assert.deepEqual(only(scene.live(200), "purge"), [{ type: "purge", filter: { task: "t" }, keepFrom: seq + 1 }]);
  scene.register("w", 1, ["t"]);
  assert.deepEqual(assignments(scene.tick()), ["w: t/r0"]);
});

test("keys are forgotten although a run of their bundle goes on: it is compacted without them", () => {
  const scene = new Scene(options);
  const seq = scene.bundle("t", "many", ["a", "b", "c", "d"]);
  scene.register("w", 1, ["t"]);
  scene.acknowledge(scene.tick()); // a is executed
  for (const id of ["b", "c", "d"]) scene.report("w", `t/${id}`, "completed");
  const [compact] = only(scene.live(200), "compact");
  assert.deepEqual([compact?.expectSeq, compact?.runs.map(({ key }) => key)], [seq, ["t/a"]]);
  scene.moveBundle(compact!);
  scene.answerPurges(scene.live(200));
  scene.store(scene.live(200));
  assert.deepEqual([...scene.state.finished.keys()], ["t/c", "t/d"]);
  assert.equal(placeOf(scene.state.live.get("t/a")!), "running");
});

test("a compaction that is refused says that nothing of the bundle is there any more", () => {
  const scene = new Scene(options);
  const seq = scene.bundle("t", "many", ["a", "b", "c", "d"]);
  for (const id of ["b", "c", "d"]) scene.report("w", `t/${id}`, "completed");
  scene.live(200);
  scene.give({ type: "compactionRefused", task: "t", name: "many", expectSeq: seq });
  assert.ok([...scene.state.finished.values()].every(({ entrySeq }) => entrySeq === 0));
});
