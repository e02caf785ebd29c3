// The leading engine dies in the middle of the work; the standby leads.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { Scene } from "./scene.ts";

test("the leading engine killed by SIGKILL: the standby leads within 4 s, nothing is lost, one accepted result each", async () => {
  await using scene = await Scene.open("leader");
  const leader = await scene.engine("leader");
  const standby = await scene.engine("standby");
  await scene.worker({ slots: 5 });
  await scene.worker({ slots: 5 });
  const client = await scene.client();
  const runs = await client
    .task<{ ms: number }, { pid: number }>("work")
    .enqueueMany(Array.from({ length: 300 }, () => ({ ms: 40 })));
  const results = Promise.all(runs.map((run) => run.result()));
  await scene.journal.until("begin", 40, 20_000);
  const killedAt = Date.now();
  await leader.kill();
  await standby.said("engine leads", 4_000);
  assert.ok(Date.now() - killedAt < 4_000);
  assert.equal((await results).length, 300);
  const executions = new Map<string, number>();
  for (const line of scene.journal.read("begin")) executions.set(line.run!, (executions.get(line.run!) ?? 0) + 1);
  assert.equal(executions.size, 300);
  const doubled = [...executions.values()].filter((count) => count > 1).length;
  assert.ok(doubled <= 10, `${doubled} runs were executed twice; at most the 10 in flight may be`);
  const { runs: listed, total } = await client.list({ task: "work", state: ["completed"] }, { limit: 1_000 });
  assert.equal(total, 300);
  assert.equal(new Set(listed.map((run) => run.id)).size, 300);
}, 90_000);

test("an engine that stops cleanly hands over at once", async () => {
  await using scene = await Scene.open("handover");
  const leader = await scene.engine("leader");
  const standby = await scene.engine("standby");
  await scene.worker();
  const client = await scene.client();
  const task = client.task<{ ms: number }, { pid: number }>("work");
  await task.run({ ms: 1 });
  const stoppedAt = Date.now();
  leader.send("SIGTERM");
  await standby.said("engine leads", 5_000);
  assert.ok(Date.now() - stoppedAt < 2_000, `the standby led after ${Date.now() - stoppedAt} ms`);
  assert.equal(await leader.exited, 0);
  await task.run({ ms: 1 });
}, 60_000);

test("runs that are enqueued while no engine lives wait, and are executed by the next one", async () => {
  await using scene = await Scene.open("nobody");
  const client = await scene.client();
  const run = await client.task<{ ms: number }, { pid: number }>("work").enqueue({ ms: 1 });
  const result = run.result();
  await scene.engine("leader");
  await waitFor(async () => (await run.status()).state === "queued", 10_000, "the run to be visible in its queue");
  const worker = await scene.worker();
  assert.equal((await result).pid, worker.pid);
}, 60_000);

// The next leader does not know what the dead worker executed, and sees that its process has ended: nobody has to wait until it must have stopped.
test("the process that leads and executes is killed: a run with a concurrency limit executes again within 15 s", async () => {
  await using scene = await Scene.open("limited");
  const victim = await scene.worker({ slots: 1, engine: "auto" });
  const client = await scene.client();
  const run = await client.task<{ ms: number }, { pid: number }>("alone").enqueue({ ms: 6_000 });
  await scene.journal.until("begin", 1, 20_000);
  const next = await scene.worker({ slots: 1, engine: "auto" });
  const killedAt = Date.now();
  await victim.kill();
  const [again] = await scene.journal.until("begin", 1, 60_000, ({ pid }) => pid === next.pid);
  assert.ok(again!.at - killedAt < 15_000, `${again!.at - killedAt} ms after the kill`);
  assert.equal((await run.result()).pid, next.pid);
}, 120_000);

test("the process that leads and executes is terminated, then the next one killed: a run older than its schedule timeout completes", async () => {
  await using scene = await Scene.open("restarted");
  const start = () => scene.worker({ slots: 1, engine: "auto", shutdownTimeout: "100ms" });
  const client = await scene.client();
  const talk = client.task<{ count: number; ms: number; hangs: boolean }, unknown>("talk");
  let executing = await start();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const enqueuedAt = Date.now();
    const run = await talk.enqueue({ count: 1, ms: 0, hangs: true }, { scheduleTimeout: "4s" }); // the next one may need a while on a busy machine
    const begun = () => scene.journal.read("begin").filter((line) => line.run === run.id).length;
    // It waited for nothing, and has been executing for longer than it might have waited.
    await waitFor(() => begun() === 1 && Date.now() - enqueuedAt > 4_500, 20_000, "the run to execute for a while");
    const next = await start();
    const result = run.result({ timeout: "60s" });
    executing.send(signal);
    await result;
    const { state, attempts } = await run.status();
    assert.deepEqual([state, begun(), attempts.at(-1)!.outcome], ["completed", 2, "completed"]);
    executing = next;
  }
}, 120_000);
