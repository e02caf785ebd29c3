// Slots, cancellation and shutdown, as the processes themselves measure them.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { Scene } from "./scene.ts";

test("2,000 runs over 3 workers with 1, 3 and 7 slots: no worker ever exceeds its slots, every run executes once", async () => {
  await using scene = await Scene.open("slots");
  await scene.engine("leader");
  const workers = await Promise.all([1, 3, 7].map((slots) => scene.worker({ slots })));
  const client = await scene.client();
  await client.task<{ ms: number }, { pid: number }>("work").runMany(Array.from({ length: 2_000 }, () => ({ ms: 2 })));
  const begun = scene.journal.read("begin");
  assert.equal(begun.length, 2_000);
  assert.equal(new Set(begun.map((line) => line.run)).size, 2_000);
  for (const line of begun) assert.ok((line["running"] as number) <= (line["slots"] as number));
  for (const worker of workers)
    assert.ok(
      begun.some((line) => line.pid === worker.pid),
      "every worker got runs",
    );
}, 120_000);

test("cancel from another process: the signal is aborted within 50 ms, the run ends as cancelled", async () => {
  await using scene = await Scene.open("cancel");
  await scene.engine("leader");
  await scene.worker();
  const client = await scene.client();
  const latencies: number[] = [];
  for (let i = 0; i < 5; i++) {
    const run = await client.task("until-cancelled").enqueue({});
    await scene.journal.until("begin", 1, 30_000, (line) => line.run === run.id);
    const cancelledAt = Date.now();
    await run.cancel("not wanted any more");
    const [aborted] = await scene.journal.until("aborted", 1, 30_000, (line) => line.run === run.id);
    latencies.push(aborted!.at - cancelledAt);
    await assert.rejects(run.result(), /not wanted any more/);
    assert.equal((await run.status()).state, "cancelled");
  }
  // A shared machine can pause any process; the fastest of five says what the code does.
  assert.ok(Math.min(...latencies) <= 50, `aborted after ${latencies.join(", ")} ms`);
}, 60_000);

test("SIGTERM with a 10 s task: the task finishes, exactly one execution, exit 0", async () => {
  await using scene = await Scene.open("sigterm");
  await scene.engine("leader");
  const leaving = await scene.worker();
  const client = await scene.client();
  const run = await client.task<{ ms: number }, { pid: number }>("work").enqueue({ ms: 10_000 });
  await scene.journal.until("begin", 1, 30_000);
  await scene.worker();
  leaving.send("SIGTERM");
  assert.equal((await run.result()).pid, leaving.pid);
  assert.equal(await leaving.exited, 0);
  assert.equal(scene.journal.read("begin").length, 1);
}, 60_000);

test("a drain that takes too long gives the rest back: queued again at once, no attempt counted", async () => {
  await using scene = await Scene.open("giveback");
  await scene.engine("leader");
  const leaving = await scene.worker({ shutdownTimeout: "500ms" });
  const client = await scene.client();
  const run = await client.task<{ ms: number }, { pid: number }>("work").enqueue({ ms: 10_000 });
  await scene.journal.until("begin", 1, 30_000);
  const heir = await scene.worker();
  leaving.send("SIGTERM");
  await scene.journal.until("begin", 1, 30_000, (line) => line.pid === heir.pid);
  assert.equal((await run.result()).pid, heir.pid);
  assert.equal((await run.status()).attempt, 1);
}, 60_000);

test("retries: the attempt number and the earlier errors are visible, the history is stored", async () => {
  await using scene = await Scene.open("retries");
  await scene.engine("leader");
  await scene.worker();
  const client = await scene.client();
  const run = await client
    .task<{ failures: number }, { attempt: number; errors: number }>("flaky")
    .enqueue({ failures: 2 });
  assert.deepEqual(await run.result(), { attempt: 3, errors: 2 });
  const info = await run.status();
  assert.deepEqual(
    info.attempts.map((attempt) => attempt.outcome),
    ["retry", "retry", "completed"],
  );
  assert.equal(info.attempts[0]!.error!.message, "failure 1");
}, 60_000);
