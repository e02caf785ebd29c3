// A worker dies, or hangs and comes back, while it executes runs.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { Scene } from "./scene.ts";

// What counted for a concurrency limit does so no more: the engine is on the same machine, and sees that the process has ended.
test("a worker killed by SIGKILL in mid-run: its runs execute elsewhere within 5 s, those with a limit too", async () => {
  await using scene = await Scene.open("sigkill");
  await scene.engine("leader");
  const victim = await scene.worker();
  const client = await scene.client();
  const runs = await client
    .task<{ ms: number }, { pid: number }>("work")
    .enqueueMany([{ ms: 3_000 }, { ms: 3_000 }, { ms: 3_000 }]);
  runs.push(await client.task<{ ms: number }, { pid: number }>("alone").enqueue({ ms: 3_000 }));
  await scene.journal.until("begin", 4, 30_000);
  const survivor = await scene.worker();
  const killedAt = Date.now();
  await victim.kill();
  const again = await scene.journal.until("begin", 4, 30_000, (line) => line.pid === survivor.pid);
  for (const line of again)
    assert.ok(line.at - killedAt < 5_000, `began again ${line.at - killedAt} ms after the kill`);
  for (const run of runs) assert.equal((await run.result()).pid, survivor.pid);
  for (const run of runs) {
    const info = await run.status();
    assert.equal(info.state, "completed");
    assert.equal(info.attempt, 1, "a lost attempt does not use up the user's retries");
  }
}, 60_000);

// The zombie: SIGSTOP looks to the engine like a blocked process (connected, silent). After 30 s its runs are lost and execute
// elsewhere. SIGCONT lets it finish them a second time; the log already holds an accepted outcome, so nothing may change.
test("a worker stopped for 40 s and continued: its late outcomes change nothing", async () => {
  await using scene = await Scene.open("sigstop");
  await scene.engine("leader");
  const zombie = await scene.worker();
  const client = await scene.client();
  const runs = await client.task<{ ms: number }, { pid: number }>("work").enqueueMany([{ ms: 2_000 }, { ms: 2_000 }]);
  await scene.journal.until("begin", 2, 30_000);
  zombie.send("SIGSTOP");
  const survivor = await scene.worker();
  const stoppedAt = Date.now();
  const results = await Promise.all(runs.map((run) => run.result()));
  assert.deepEqual(
    results.map((result) => result.pid),
    [survivor.pid, survivor.pid],
  );
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 40_000 - (Date.now() - stoppedAt))));
  zombie.send("SIGCONT");
  await scene.journal.until("end", 2, 20_000, (line) => line.pid === zombie.pid);
  // The zombie works again: a new wave of runs reaches both workers.
  await client.task<{ ms: number }, { pid: number }>("work").runMany(Array.from({ length: 8 }, () => ({ ms: 300 })));
  await scene.journal.until("end", 3, 10_000, (line) => line.pid === zombie.pid);
  for (const run of runs) {
    const info = await run.status();
    assert.equal(info.state, "completed");
    assert.deepEqual(info.output, { pid: survivor.pid });
  }
}, 120_000);

// What was assigned to a stopped worker waits in its socket. By the time it wakes the run has been given elsewhere and has ended.
test("a worker that slept begins nothing that was assigned meanwhile, on Bun and on Deno", async () => {
  await using scene = await Scene.open("slept");
  await scene.engine("leader");
  const sleepers = [await scene.worker({ slots: 1 }), await scene.worker({ slots: 1, runtime: "deno" })];
  const client = await scene.client();
  const work = client.task<{ ms: number }, { pid: number }>("work");
  for (const sleeper of sleepers) sleeper.send("SIGSTOP");
  const runs = await work.enqueueMany([{ ms: 1 }, { ms: 1 }]);
  const awake = await scene.worker();
  for (const run of runs) assert.equal((await run.result()).pid, awake.pid);
  for (const sleeper of sleepers) sleeper.send("SIGCONT");
  await awake.kill();
  const later = await Promise.all((await work.enqueueMany([{ ms: 500 }, { ms: 500 }])).map((run) => run.result()));
  assert.deepEqual(later.map(({ pid }) => pid).sort(), sleepers.map(({ pid }) => pid).sort(), "both work again");
  for (const run of runs) assert.equal(scene.journal.read("begin").filter((line) => line.run === run.id).length, 1);
}, 60_000);
