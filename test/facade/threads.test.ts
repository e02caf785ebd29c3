// Tasks in threads through the public API.
import assert from "node:assert/strict";
import { threadId } from "node:worker_threads";
import { connect, type Natchet, RunCancelled, RunFailed, type Running, start } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { Spinning } from "./fixtures/spinning.ts";

interface Spun {
  thread: number;
  opened: number;
  run: string;
}
let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
beforeAll(async () => {
  server = await testServer();
  running = await start(Spinning, { url: server.url, log: "silent", signals: false });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

describe("threads", () => {
  test("a task that computes stops neither other slots nor heartbeats; its thread is used again", async () => {
    const spinning = client.task<{ ms: number }, Spun>("spin").run({ ms: 6_000 }, { id: "long" });
    await waitFor(
      async () => (await client.get("spin", "long").status()).state === "running",
      5_000,
      "the run to start",
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const begun = Date.now();
    for (let i = 0; i < 20; i++) assert.equal(await client.task("quick").run(), threadId);
    assert.ok(Date.now() - begun < 3_000, `${Date.now() - begun} ms`);
    assert.equal((await client.workers())[0]!.state, "ready");
    const first = await spinning;
    assert.notEqual(first.thread, threadId);
    assert.equal(first.opened, first.thread, "the worker was opened in the thread");
    const second = await client.task<{ ms: number }, Spun>("spin").run({ ms: 1 });
    assert.equal(second.thread, first.thread);
  });

  test("a cancellation and a timeout end the thread; the next attempt has another", async () => {
    const run = await client.task<{ ms: number }, Spun>("spin").enqueue({ ms: 20_000 });
    await waitFor(async () => (await run.status()).state === "running", 5_000, "the run to start");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const begun = Date.now();
    await run.cancel();
    await assert.rejects(run.result(), RunCancelled);
    assert.ok(Date.now() - begun < 2_000, `${Date.now() - begun} ms`);
    await assert.rejects(client.task("short").run(), (error: Error) => {
      assert.ok(error instanceof RunFailed);
      assert.match(error.message, /TimeoutError: task "short" took longer than its timeout of 300ms/);
      return true;
    });
    assert.ok((await client.task<{ ms: number }, Spun>("spin").run({ ms: 1 })).thread > 0);
  });

  test("a thread that crashes is a failed attempt; an error keeps its name", async () => {
    assert.equal(await client.task("crash").run(), "the thread of the task ended with code 3");
    const failed = await client.task("fail").enqueue({});
    await assert.rejects(failed.result(), /NonRetryableError: not again/);
    assert.equal((await failed.status()).attempts.length, 1);
  });

  test("what it says is stored, its context is there", async () => {
    const run = await client.task("talk").enqueue({ words: ["a", "b"] }, { metadata: { tenant: "x" } });
    assert.deepEqual(await run.result(), { tenant: "x" });
    const chunks = [];
    for await (const chunk of run.stream()) chunks.push(chunk.value);
    assert.deepEqual(chunks, ["a", "b", { done: true }]);
    const lines = [];
    for await (const line of run.logs()) lines.push([line.level, line.message, line.fields]);
    assert.deepEqual(lines, [["info", "talking", { words: 2 }]]);
    assert.deepEqual((await run.progress())!.note, "said");
  });
});
