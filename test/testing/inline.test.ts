import assert from "node:assert/strict";
import { z } from "zod";
import {
  currentRun,
  NonRetryableError,
  type Payload,
  RunFailed,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { inline, testServer } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

const Greeting = z.object({ name: z.string().min(2), mark: z.string().default("!") });

@Worker(2)
class Tasks {
  @Task("greet", { input: Greeting })
  async greet(input: Payload<typeof Greeting>) {
    return `Hello, ${input.name}${input.mark}`;
  }

  @Task("flaky", { retries: { limit: 3, base: "1h" } })
  async flaky(input: { failures: number }, ctx: TaskContext) {
    if (ctx.attempt <= input.failures) throw new Error(`failure ${ctx.attempt}`);
    return ctx.errors.map((error) => error.message);
  }

  @Task("final", { retries: 3 })
  async final() {
    throw new NonRetryableError("no use");
  }

  @Task("slow", { timeout: "30ms" })
  async slow(_input: unknown, ctx: TaskContext) {
    await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
  }

  @Task("extended", { timeout: "30ms" })
  async extended(_input: unknown, ctx: TaskContext) {
    ctx.extendTimeout("5s");
    await new Promise((resolve) => setTimeout(resolve, 80));
    return "in time";
  }

  @Task("surrounded")
  async surrounded() {
    await Promise.resolve();
    return currentRun().runId;
  }

  @Task("talks", { retries: 1 })
  async talks(_input: unknown, ctx: TaskContext) {
    ctx.log.warn("working", { on: new Error("it") });
    ctx.progress(0.5 * ctx.attempt, "so far");
    for (const chunk of ["a", new Uint8Array([7]), { at: new Date(0) }]) await ctx.stream(chunk);
    assert.throws(() => ctx.stream(undefined), /ctx.stream: undefined is not a string, bytes or/);
    if (ctx.attempt === 1) throw new Error("once more");
  }

  @Task("unwritable")
  async unwritable() {
    return { big: 1n };
  }
}

test("inline: input is validated and defaults are filled in", async () => {
  assert.equal(await inline(Tasks).run("greet", { name: "Ada" }), "Hello, Ada!");
  await assert.rejects(inline(Tasks).run("greet", { name: "A" }), /invalid input of task "greet": name: /);
});

test("inline: retries at once, with the earlier errors in the context", async () => {
  assert.deepEqual(await inline(Tasks).run("flaky", { failures: 2 }), ["failure 1", "failure 2"]);
  const failed = await inline(Tasks).execute("flaky", { failures: 9 });
  assert.equal(failed.state, "failed");
  assert.equal(failed.attempts.length, 4);
});

test("inline: a NonRetryableError fails at once", async () => {
  await assert.rejects(
    inline(Tasks).run("final"),
    (error: RunFailed) => error instanceof RunFailed && error.attempts.length === 1,
  );
});

test("inline: the timeout aborts and fails the attempt; extendTimeout moves it", async () => {
  await assert.rejects(inline(Tasks).run("slow"), /took longer than its timeout of 30ms/);
  assert.equal(await inline(Tasks).run("extended"), "in time");
});

test("inline: cancelling aborts the signal", async () => {
  const info = await inline(Tasks).execute("slow", undefined, { signal: AbortSignal.abort("enough") });
  assert.equal(info.state, "cancelled");
  assert.equal(info.reason, "enough");
});

test("inline: currentRun() finds the context after an await, and nothing outside", async () => {
  assert.equal(await inline(Tasks).run("surrounded", undefined, { id: "run-7" }), "run-7");
  assert.throws(() => currentRun(), /outside a task/);
});

test("inline: an output that JSON cannot hold fails with its reason; an unknown task is named", async () => {
  await assert.rejects(inline(Tasks).run("unwritable"), /cannot be written as JSON/);
  await assert.rejects(inline(Tasks).run("nope"), /has no task "nope"; it has greet, flaky/);
});

test("inline: what a run says comes with it, as a reader would get it", async () => {
  const { logs, chunks, progress } = await inline(Tasks).execute("talks");
  assert.deepEqual(
    logs.map(({ attempt, level, message, fields }) => ({ attempt, level, message, fields })),
    [1, 2].map((attempt) => ({ attempt, level: "warn", message: "working", fields: { on: "Error: it" } })),
  );
  assert.deepEqual(
    chunks.filter(({ attempt }) => attempt === 2).map(({ value }) => value),
    ["a", new Uint8Array([7]), { at: "1970-01-01T00:00:00.000Z" }],
  );
  assert.equal(chunks.length, 6);
  assert.deepEqual([progress?.attempt, progress?.fraction, progress?.note], [2, 1, "so far"]);
});

test("a test server carries a whole worker", async () => {
  await using server = await testServer();
  const running = await start(Tasks, { url: server.url, signals: false, log: "silent" });
  const client = running.client();
  assert.equal(await client.tasks(Tasks).greet.run({ name: "Ada" }), "Hello, Ada!");
  await client.close();
  await running.stop();
});
