import assert from "node:assert/strict";
import { parseConcurrency } from "../../../src/domain/limits.ts";
import { jsonBytes } from "../../../src/wire/bytes.ts";
import { assignments, endings, Scene } from "../../scheduler/scene.ts";
import { test } from "../../support/harness.ts";

function sceneOf(key: string): Scene {
  const scene = new Scene();
  scene.register("w1", 10, [{ name: "mail", policies: { concurrency: parseConcurrency({ key, max: 1 }, "mail") } }]);
  return scene;
}

test("a key that computes with numbers of the input", () => {
  const scene = sceneOf('"shard-" + input.n % 3');
  for (const n of [1, 4, 5]) scene.create("mail", `n${n}`, { input: jsonBytes({ n }) });
  assert.deepEqual(assignments(scene.tick()), ["w1: mail/n1, mail/n5"]);
});

test("an input that is nested without end fails its run alone, and at once", () => {
  const scene = sceneOf("size(input.list)");
  const deep = new TextEncoder().encode(`{"list":${"[".repeat(20_000)}${"]".repeat(20_000)}}`);
  scene.create("mail", "bad", { input: deep });
  scene.create("mail", "good", { input: jsonBytes({ list: [1] }) });
  const begunAt = performance.now();
  const commands = scene.tick();
  assert.ok(performance.now() - begunAt < 2_000); // its type alone took ten seconds
  assert.deepEqual(endings(commands), ["failed mail/bad"]);
  assert.deepEqual(assignments(commands), ["w1: mail/good"]);
});
