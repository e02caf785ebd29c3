// Tasks that keep the event loop of their worker for themselves.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { Scene } from "./scene.ts";

test("loops blocked for 35 s, on Bun and on Deno: executed once, blocked and not dead, and nothing new meanwhile", async () => {
  await using scene = await Scene.open("blocked");
  await scene.engine("leader");
  const workers = [await scene.worker({ runtime: "bun", slots: 1 }), await scene.worker({ runtime: "deno", slots: 1 })];
  const client = await scene.client();
  const runs = await client
    .task<{ ms: number }, { pid: number }>("block-long")
    .enqueueMany([{ ms: 35_000 }, { ms: 35_000 }]);
  const results = Promise.all(runs.map((run) => run.result()));
  await scene.journal.until("begin", 2, 30_000);
  const areAll = async (state: string, count: number) =>
    (await client.workers()).filter((worker) => worker.state === state).length === count;
  await waitFor(() => areAll("blocked", 2), 15_000, "both workers to be blocked");
  const other = await scene.worker();
  assert.equal((await client.task<{ ms: number }, { pid: number }>("work").run({ ms: 1 })).pid, other.pid);
  const pids = (await results).map(({ pid }) => pid).sort();
  assert.deepEqual(pids, workers.map((worker) => worker.pid).sort());
  const begun = scene.journal.read("begin").filter((line) => runs.some(({ id }) => id === line.run));
  assert.equal(begun.length, 2, JSON.stringify({ begun, workers: workers.map(({ pid }) => pid) }));
  for (const run of runs) {
    const { attempts } = await run.status();
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ["completed"],
    );
  }
  await waitFor(() => areAll("ready", 3), 10_000, "all workers to be ready");
}, 90_000);

test("a loop that is blocked for ever: the engine ends the attempt after its timeout, and the run completes elsewhere", async () => {
  await using scene = await Scene.open("hanging");
  await scene.engine("leader");
  const first = await scene.worker();
  const client = await scene.client();
  const run = await client
    .task<{ ms: number; hangs: boolean }, { pid: number }>("block")
    .enqueue({ ms: 10, hangs: true });
  await scene.journal.until("begin", 1, 30_000);
  const second = await scene.worker();
  assert.equal((await run.result()).pid, second.pid);
  const { attempts } = await run.status();
  assert.deepEqual(
    attempts.map(({ outcome, error }) => [outcome, error?.name]),
    [
      ["retry", "TimeoutError"],
      ["completed", undefined],
    ],
  );
  assert.match(
    attempts[0]!.error!.message,
    /blocks the event loop of its worker and was still running 10s after its timeout/,
  );
  await first.kill();
}, 60_000);
