// Tasks that keep the event loop of their worker for themselves.
import assert from "node:assert/strict";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { Scene } from "./scene.ts";

for (const runtime of ["bun", "deno"] as const) {
  test(`${runtime}: a loop blocked for 35 s: executed once, the worker is blocked and not dead, and gets nothing meanwhile`, async () => {
    await using scene = await Scene.open(`blocked-${runtime}`);
    await scene.engine("leader");
    const worker = await scene.worker({ runtime });
    await new Promise((resolve) => setTimeout(resolve, 2_000)); // the thread has started
    const client = await scene.client();
    const run = await client.task<{ ms: number }, { pid: number }>("block").enqueue({ ms: 35_000 });
    const result = run.result();
    await scene.journal.until("begin", 1, 10_000);
    await waitFor(async () => (await client.workers())[0]?.state === "blocked", 15_000, "the worker to be blocked");
    const other = await scene.worker({ runtime });
    assert.equal((await client.task<{ ms: number }, { pid: number }>("work").run({ ms: 1 })).pid, other.pid);
    assert.equal((await result).pid, worker.pid);
    assert.equal(scene.journal.read("begin").filter((line) => line.run === run.id).length, 1);
    assert.deepEqual(
      (await run.status()).attempts.map(({ outcome }) => outcome),
      ["completed"],
    );
    await waitFor(
      async () => (await client.workers()).every(({ state }) => state === "ready"),
      10_000,
      "both workers to be ready",
    );
    assert.ok((await client.workers()).length === 2);
  }, 90_000);
}

test("a loop that is blocked for ever: the engine ends the attempt after its timeout, and the run completes elsewhere", async () => {
  await using scene = await Scene.open("hanging");
  await scene.engine("leader");
  const first = await scene.worker();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const client = await scene.client();
  const run = await client
    .task<{ ms: number; hangs: boolean }, { pid: number }>("block")
    .enqueue({ ms: 10, hangs: true });
  await scene.journal.until("begin", 1, 10_000);
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
    /blocks the event loop of its worker, and was not over 10s after its timeout/,
  );
  await first.kill();
}, 60_000);
