// The order in which runs are erased, and what the next leader knows of it, on the scheduler alone.
import assert from "node:assert/strict";
import { type EraseDeed, Erasing, type OutcomesInPlace } from "../../src/requests/erasing.ts";
import { only, Scene } from "../scheduler/scene.ts";
import { test } from "../support/harness.ts";

const [key, other] = ["mail/a", "mail/b"];

/** A log in which run `a` has ended and been erased, as a standby reads it. */
function erasedOnce(): { readonly scene: Scene; readonly origin: number; readonly stoneAt: number } {
  const scene = new Scene({}, "standby");
  const origin = scene.create("mail", "a");
  scene.report("w", key, "completed", { turn: 1 });
  scene.report("e1", key, "erased", { origin, detail: { createdAt: 1, priority: 0, attempts: [], was: "completed" } });
  return { scene, origin, stoneAt: scene.seq };
}

function lead(scene: Scene, erasedUpTo: number): ReadonlySet<string> {
  scene.give({ type: "briefed", briefing: { erasedUpTo } });
  scene.give({ type: "lead", epoch: 7, knownWorkers: [] });
  scene.give({ type: "heard", at: 0, gaps: 0 });
  return scene.state.leadership!.house.remains;
}

test("a new leader erases again what was erased behind the stored place, and what was said since while nobody led", () => {
  const begun = erasedOnce();
  assert.deepEqual([...lead(begun.scene, begun.stoneAt - 1)], [key]);
  const done = erasedOnce();
  assert.deepEqual([...lead(done.scene, done.stoneAt)], []);
  const late = erasedOnce();
  late.scene.report("w", key, "failed", { origin: late.origin });
  assert.deepEqual([...lead(late.scene, late.stoneAt)], [key]);
});

test("a stored place that is ahead of the log is of another log: all is erased again, and the place stored anew", () => {
  const { scene, stoneAt } = erasedOnce();
  assert.deepEqual([...lead(scene, 1_000)], [key]);
  assert.deepEqual(only(scene.give({ type: "erased", keys: [key], upTo: stoneAt }), "storeErased"), [
    { type: "storeErased", upTo: stoneAt },
  ]);
  const empty = new Scene({}, "standby");
  lead(empty, 1_000);
  assert.deepEqual(only(empty.commands, "storeErased"), [{ type: "storeErased", upTo: 0 }]);
});

test("what is said of a run while it is being erased keeps it among those to erase", () => {
  const { scene, origin, stoneAt } = erasedOnce();
  const remains = lead(scene, 0);
  scene.report("w", key, "failed", { origin });
  scene.give({ type: "erased", keys: [key], upTo: stoneAt });
  assert.deepEqual([...remains], [key]);
  assert.deepEqual(only(scene.commands, "storeErased"), []);
  scene.give({ type: "erased", keys: [key], upTo: scene.seq });
  assert.deepEqual([...remains], []);
});

test("a run that has the id of one that is being erased stays when a mark has forgotten that one", () => {
  const scene = new Scene();
  scene.create("mail", "a");
  scene.report("w", key, "completed", { turn: 1 });
  const erasing = new Erasing<OutcomesInPlace>(scene.state.leadership!.house).erase([key, other]);
  const deeds: EraseDeed<OutcomesInPlace>[] = [];
  let hasBegunAnew = false;
  for (let next = erasing.next(); !next.done; next = erasing.next(next.value.type === "find" ? [] : undefined)) {
    deeds.push(next.value);
    if (next.value.type === "give") scene.give(next.value.event);
    if (next.value.type !== "fold" || deeds.length === 1 || hasBegunAnew) continue;
    hasBegunAnew = true;
    const mark = { turn: 0, origin: scene.seq, dueAt: scene.seq };
    scene.report("e9", "", "retention", mark);
    scene.give({ type: "purged", filter: "outcomes", keepFrom: mark.dueAt + 1 });
    scene.create("mail", "a");
    scene.report("w", key, "completed", { turn: 1 });
  }
  assert.ok(hasBegunAnew);
  assert.equal(deeds.filter((deed) => deed.type === "give" && deed.event.type === "erase").length, 1);
  assert.equal(scene.state.finished.get(key)?.isErased, false);
});
