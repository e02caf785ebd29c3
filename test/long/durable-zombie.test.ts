// A minute: a worker is stopped for 40 s in the middle of a durable run, which another one ends meanwhile.
import assert from "node:assert/strict";
import { Scene } from "../e2e/scene.ts";
import { test } from "../support/harness.ts";

test("a worker stopped for 40 s executes at most one more step of a run that is another's", async () => {
  await using scene = await Scene.open("durable-zombie");
  await scene.engine("leader");
  const client = await scene.client();
  const zombie = await scene.worker({ fixture: "durable-worker.ts" });
  const run = await client.task<number, number>("many").enqueue(400);
  await scene.journal.until("many", 5, 20_000);
  zombie.send("SIGSTOP");
  const stoppedAt = Date.now();
  await scene.worker({ fixture: "durable-worker.ts" });
  assert.equal(await run.result(), 400);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 40_000 - (Date.now() - stoppedAt))));
  const ofZombie = () => scene.journal.read("many").filter(({ pid }) => pid === zombie.pid).length;
  const before = ofZombie();
  zombie.send("SIGCONT");
  await new Promise((resolve) => setTimeout(resolve, 5_000)); // so long it could go on
  assert.ok(ofZombie() - before <= 1, `${ofZombie() - before} steps more`);
  const bySteps = Map.groupBy(scene.journal.read("many"), ({ i }) => i as number);
  const doubled = [...bySteps.values()].filter(({ length }) => length > 1);
  assert.ok(doubled.length <= 1, `${doubled.length} steps were executed twice`);
}, 180_000);
