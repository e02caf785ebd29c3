// Durable runs over the death of their workers.
import assert from "node:assert/strict";
import { signal } from "../../src/domain/signal.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { Scene } from "./scene.ts";

const fixture = "durable-worker.ts";
const Approve = signal("approve");

test("a worker is killed in its steps and while its run waits: what is stored is not executed again", async () => {
  await using scene = await Scene.open("durable-kill");
  await scene.engine("leader");
  const client = await scene.client();
  const run = await client.task<{ dies: number[] }, unknown>("chain").enqueue({ dies: [0, 3, 6] });
  let worker = await scene.worker({ fixture });
  await worker.exited;
  worker = await scene.worker({ fixture, runtime: "deno" });
  await worker.exited;
  worker = await scene.worker({ fixture });
  await waitFor(async () => (await run.status()).state === "waiting", 20_000, "the run to wait");
  await worker.kill();
  await run.send(Approve as never, { by: "ada" } as never);
  worker = await scene.worker({ fixture });
  await worker.exited;
  worker = await scene.worker({ fixture });
  assert.deepEqual(await run.result(), { results: [0, 10, 20, 30, 40, 50, 60, 70], said: { by: "ada" } });
  const effects = scene.journal.read().filter(({ event }) => event === "effect");
  const byStep = Map.groupBy(effects, ({ i }) => i as number);
  assert.deepEqual([...byStep.keys()].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const [i, times] of byStep) {
    assert.equal(new Set(times.map(({ id }) => id)).size, 1, "a step has one id");
    const isSide = i === 5 || i === 7; // executed beside the one that dies
    const most = i === 0 || i === 3 || i === 6 || isSide ? 2 : 1;
    assert.ok(times.length <= most, `step ${i} was executed ${times.length} times`);
  }
}, 120_000);

test("a worker that stops with parked runs ends at once, and one in a step ends the step and begins no other", async () => {
  await using scene = await Scene.open("durable-stop");
  await scene.engine("leader");
  const client = await scene.client();
  const first = await scene.worker({ fixture });
  const sleepers = await client.task<number, number>("sleeper").enqueueMany(Array.from({ length: 200 }, () => 5_000));
  await waitFor(
    async () => (await client.queues()).find(({ task }) => task === "sleeper")?.waiting === 200,
    20_000,
    "sleepers",
  );
  const slow = await client.task<number, number[]>("slow").enqueue(1_000);
  await scene.journal.until("begin", 1, 30_000);
  const stoppedAt = performance.now();
  first.send("SIGTERM");
  await first.exited;
  assert.ok(performance.now() - stoppedAt < 5_000, "it waited for nothing but the step");
  const second = await scene.worker({ fixture });
  assert.deepEqual(await slow.result(), [first.pid, second.pid]);
  for (const sleeper of sleepers) assert.equal(await sleeper.result(), second.pid);
}, 90_000);
