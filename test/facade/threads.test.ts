// Tasks in threads through the public API.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { connect, type Natchet, RunCancelled, RunFailed, type Running, start } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { startScript } from "../support/child.ts";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { SlowToOpen, Spinning } from "./fixtures/spinning.ts";

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
  running = await start([Spinning, SlowToOpen], { url: server.url, log: "silent", signals: false });
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
      20_000,
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
    const run = await client.task<{ ms: number }, Spun>("spin").enqueue({ ms: 8_000 });
    await waitFor(async () => (await run.status()).state === "running", 20_000, "the run to start");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const begun = Date.now();
    await run.cancel();
    await assert.rejects(run.result(), RunCancelled);
    // A thread of Deno is not interrupted: its run ends when the grace is over, its slot is free when its code has ended.
    assert.ok(Date.now() - begun < ("Deno" in globalThis ? 12_000 : 4_000), `${Date.now() - begun} ms`);
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

  test("what a task may be and throw in the loop, it may be and throw in a thread", async () => {
    const met = await client.task("meet").enqueue({ at: "2031-05-06T00:00:00Z" }, { id: "met" });
    assert.deepEqual(await met.result(), { year: 2031, run: "met" });
    await assert.rejects(client.task("meet").run({ at: 5 }), /InvalidData: invalid input of task "meet": at/);
    assert.equal(await client.task("effect").run(), "effect");
    assert.equal(await client.task("later").run(), 1);
    assert.equal(await client.task("odd-lines").run(), "said");
    const refused = await client.task("refuse").enqueue();
    await refused.result().catch(() => {});
    const { attempts, error } = await refused.status();
    assert.deepEqual([attempts.length, error?.message, error?.cause?.name], [1, "no", "RangeError"]);
    const circular = await client.task("circular").enqueue();
    await assert.rejects(circular.result(), /the output of task "circular" cannot be written as JSON/);
    assert.equal((await circular.status()).attempts.length, 1);
  });

  test("what code of an earlier run does late in a thread touches no other run there, on Bun and on Deno", async () => {
    const file = join(import.meta.dirname!, "fixtures", "late-in-thread.ts");
    for (const runtime of ["bun", "deno"] as const) {
      const child = startScript(runtime, file, { env: { NATS_URL: server.url, NAMESPACE: `late-${runtime}` } });
      assert.equal(await child.exited, 0, child.output());
      for (const how of ["throw", "reject", "exit"])
        assert.match(child.output(), new RegExp(`${how}: the same thread goes on`));
      assert.equal(child.output().match(/an error that no code handled/g)?.length, 3, child.output());
    }
  });

  test("a thread that ended while it was idle is not handed out", async () => {
    const thread = await client.task<unknown, number>("die-idle").run();
    const next = () =>
      client
        .task<unknown, number>("wait")
        .run({ ms: 1 })
        .catch(() => thread); // it ended just then
    await waitFor(async () => (await next()) !== thread, 10_000, "another thread");
  });

  test("code that listens to its signal may tidy up", async () => {
    const run = await client.task("listen").enqueue();
    const lines: string[] = [];
    for await (const line of run.logs()) {
      if (lines.push(line.message) === 1) await run.cancel("enough");
    }
    assert.deepEqual(lines, ["listening", "tidied up"]);
  });

  test("opening the worker in a thread does not count as time of the attempt", async () => {
    assert.equal(await client.task("brief").run(), "in time");
  });

  test("a slot stays taken until the code that computes has really ended", async () => {
    const directory = mkdtempSync(join(tmpdir(), "natchet-threads-"));
    const cells = join(directory, "cells");
    assert.equal(await client.task("compute").run({ cells }), "computed");
    const lines = readFileSync(cells, "utf8").trim().split("\n");
    // Where a thread is interrupted, the first attempt has no end.
    const expected = "Deno" in globalThis ? ["begin", "end", "begin", "end"] : ["begin", "begin", "end"];
    assert.deepEqual(
      lines.map((line) => line.split(" ")[0]),
      expected,
    );
    rmSync(directory, { recursive: true });
  });
});
