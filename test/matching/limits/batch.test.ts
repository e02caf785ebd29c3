// Batch tasks: when a batch starts, who is in it, and what it takes.
import assert from "node:assert/strict";
import { type BatchOptions, parseBatch } from "../../../src/domain/batch.ts";
import { parseConcurrency } from "../../../src/domain/limits.ts";
import { describeRun } from "../../../src/requests/describe.ts";
import { declarationOf, endings, only, Scene } from "../../scheduler/scene.ts";
import { describe, test } from "../../support/harness.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
/** Each batch as its ids. */
function batches(scene: Scene): string[][] {
  const found: string[][] = [];
  for (const { runs, followers } of only(scene.tick(), "assign")) {
    for (const run of runs) {
      if (followers.has(run)) found.at(-1)!.push(run.id);
      else found.push([run.id]);
    }
  }
  return found;
}
function sceneWith(batch: BatchOptions, slots = 5, more: object = {}): Scene {
  const scene = new Scene();
  const policies = { batch: parseBatch(batch, "test")!, ...more };
  scene.register("w", slots, [{ ...declarationOf("embed"), policies }]);
  return scene;
}
const create = (scene: Scene, id: string, input: unknown = {}) => scene.create("embed", id, { input: bytes(input) });

describe("batches", () => {
  test("start when they are full, or when the first has waited for the interval", () => {
    const scene = sceneWith({ size: 3, interval: "2s" });
    create(scene, "1");
    create(scene, "2");
    assert.deepEqual(batches(scene), []);
    assert.deepEqual(describeRun(scene.state, "embed/1")!.info.waiting, {
      for: "its batch",
      because: "its batch is waiting for 3 runs, or 1970-01-01T00:16:42.000Z",
      position: 1,
    });
    assert.ok(only(scene.tick(), "wake").at(-1)!.at <= scene.now + 1_000);
    create(scene, "3");
    create(scene, "4");
    assert.deepEqual(batches(scene), [["1", "2", "3"]]);
    scene.pass(1_999);
    assert.deepEqual(batches(scene), []);
    scene.pass(1);
    assert.deepEqual(batches(scene), [["4"]]);
  });

  test("one batch takes one slot; it is free when the first has reported", () => {
    const scene = sceneWith({ size: 2, interval: "1s" }, 1);
    for (const id of ["1", "2", "3", "4"]) create(scene, id);
    assert.deepEqual(batches(scene), [["1", "2"]]);
    assert.equal(scene.state.workers.get("w")!.free, 0);
    scene.report("w", "embed/2", "completed");
    assert.deepEqual(batches(scene), []);
    scene.report("w", "embed/1", "completed");
    assert.deepEqual(batches(scene), [["3", "4"]]);
  });

  test("bytes start a batch, and none holds more", () => {
    const scene = sceneWith({ size: 100, interval: "1m", bytes: 100 });
    const text = "x".repeat(30);
    for (const id of ["1", "2"]) create(scene, id, text);
    assert.deepEqual(batches(scene), []);
    for (const id of ["3", "4"]) create(scene, id, text);
    assert.deepEqual(batches(scene), [["1", "2", "3"]]);
    create(scene, "large", "x".repeat(500));
    assert.deepEqual(batches(scene), [["4"], ["large"]]);
  });

  test("each key has its own; a run without its key fails alone", () => {
    const scene = sceneWith({ size: 2, interval: "1m", key: "input.model" });
    create(scene, "a1", { model: "a" });
    create(scene, "b1", { model: "b" });
    create(scene, "bad", {});
    create(scene, "a2", { model: "a" });
    const commands = scene.tick();
    assert.deepEqual(endings(commands), ["failed embed/bad"]);
    assert.deepEqual(
      only(commands, "assign").flatMap(({ runs }) => runs.map((run) => run.id)),
      ["a1", "a2"],
    );
    create(scene, "b2", { model: "b" });
    assert.deepEqual(batches(scene), [["b1", "b2"]]);
  });

  test("a limit of the task holds inside of a batch", () => {
    const scene = sceneWith({ size: 5, interval: "0s" }, 5, { concurrency: parseConcurrency({ max: 3 }, "test") });
    for (let i = 0; i < 5; i++) create(scene, String(i));
    assert.deepEqual(batches(scene), [["0", "1", "2"]]);
  });

  test("a cancelled run is no member, and counts no more", () => {
    const scene = sceneWith({ size: 3, interval: "1m" });
    for (const id of ["1", "2"]) create(scene, id);
    scene.tick();
    scene.store(scene.give({ type: "cancel", keys: ["embed/1"], reason: "test" }));
    create(scene, "3");
    assert.deepEqual(batches(scene), []);
    create(scene, "4");
    assert.deepEqual(batches(scene), [["2", "3", "4"]]);
  });
});
