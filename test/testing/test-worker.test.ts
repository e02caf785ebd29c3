// A worker without NATS whose time is moved by the test: delays, retries, RetryLater, reschedule, timeouts, and what surrounds a task.
import assert from "node:assert/strict";
import { z } from "zod";
import {
  type ExecuteMiddleware,
  NotReschedulable,
  RetryLater,
  RunCancelled,
  Task,
  type TaskContext,
  Worker,
  WorkerNotStarted,
} from "../../src/mod.ts";
import { type ManualClock, manualClock, type TestWorker, testWorker } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

const minute = 60_000;
const start = Date.UTC(2030, 0, 1);

@Worker(2)
class Timed {
  isOpen = false;
  readonly log: string[] = [];

  onStart() {
    this.log.push("started");
  }

  onStop() {
    this.log.push("stopped");
  }

  @Task("echo", { input: z.object({ n: z.number() }) })
  async echo(input: { n: number }) {
    return input.n;
  }

  @Task("flaky", { retries: { limit: 3, base: "1m" } })
  async flaky(input: { failures: number }, ctx: TaskContext) {
    await new Promise((resolve) => setTimeout(resolve, 5)); // real work takes real time
    ctx.log.info(`attempt ${ctx.attempt}`);
    ctx.progress(ctx.attempt / 4);
    await ctx.stream(ctx.attempt);
    if (ctx.attempt <= input.failures) throw new Error(`failure ${ctx.attempt}`);
    return ctx.errors.map(({ message }) => message);
  }

  @Task("later")
  async later(_input: unknown, ctx: TaskContext) {
    if (!this.isOpen) throw new RetryLater("10m", "closed");
    return ctx.attempt;
  }

  @Task("hangs", { timeout: "30s", retries: { limit: 1, base: "1m" } })
  async hangs(_input: unknown, ctx: TaskContext) {
    await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
  }
}

const make = (options: { middleware?: readonly ExecuteMiddleware[] } = {}): TestWorker<ManualClock> =>
  testWorker(Timed, { clock: manualClock({ start, patience: "200ms" }), ...options });

test("test worker: a delayed run is executed when its time has come, not before", async () => {
  await using t = make();
  const run = await t.enqueue("echo", { n: 7 }, { delay: "1h", metadata: { a: "b" }, priority: 5 });
  assert.deepEqual(
    (({ state, dueAt, createdAt, metadata, priority, input }) => ({
      state,
      dueAt,
      createdAt,
      metadata,
      priority,
      input,
    }))(await run.status()),
    {
      state: "scheduled",
      dueAt: start + 60 * minute,
      createdAt: start,
      metadata: { a: "b" },
      priority: 5,
      input: { n: 7 },
    },
  );
  assert.equal(t.clock.next, start + 60 * minute);
  await t.clock.advance(60 * minute - 1);
  assert.equal((await run.status()).state, "scheduled");
  await t.clock.advance(1);
  assert.equal(await run.result(), 7);
  const { state, startedAt, finishedAt, attempts } = await run.status();
  assert.deepEqual(
    [state, startedAt, finishedAt, attempts.length],
    ["completed", start + 60 * minute, start + 60 * minute, 1],
  );
  const at = await t.enqueue("echo", { n: 8 }, { at: new Date(start + 120 * minute) });
  await t.clock.advanceTo(new Date(start + 120 * minute));
  assert.equal(await at.result(), 8);
});

test("test worker: a run without delay needs no clock; one that is stored twice is one run", async () => {
  await using t = make();
  assert.equal(await t.run("echo", { n: 1 }), 1);
  const first = await t.enqueue("echo", { n: 2 }, { id: "x" });
  const second = await t.enqueue("echo", { n: 3 }, { id: "x" });
  assert.deepEqual([first.created, second.created, await second.result()], [true, false, 2]);
  assert.deepEqual(
    t.runs().map(({ input }) => input),
    [{ n: 1 }, { n: 2 }],
  );
});

test("test worker: one advance goes through all retries, each at its time", async () => {
  await using t = make();
  const run = await t.enqueue("flaky", { failures: 9 }, { delay: "1h" });
  await t.clock.advance("1h");
  const { state, dueAt, attempts } = await run.status();
  assert.deepEqual([state, dueAt, attempts.length], ["retrying", start + 61 * minute, 1]);
  await t.clock.advance("1d");
  const ended = await run.status();
  assert.deepEqual(
    ended.attempts.map(({ startedAt, outcome }) => [(startedAt - start) / minute, outcome]),
    [
      [60, "retry"],
      [61, "retry"],
      [63, "retry"],
      [67, "failed"],
    ],
  );
  await assert.rejects(run.result(), /flaky.* failed after 4 attempts: Error: failure 4/);
  assert.deepEqual(
    ended.logs.map(({ message, at }) => [message, (at - start) / minute]),
    [
      ["attempt 1", 60],
      ["attempt 2", 61],
      ["attempt 3", 63],
      ["attempt 4", 67],
    ],
  );
  assert.deepEqual([ended.chunks.map(({ value }) => value), ended.progress!.fraction], [[1, 2, 3, 4], 1]);
});

test("test worker: a run at once whose first attempt fails is retried by the next advance", async () => {
  await using t = make();
  const run = await t.enqueue("flaky", { failures: 2 });
  await t.clock.advance("3m");
  assert.deepEqual(await run.result(), ["failure 1", "failure 2"]);
  assert.equal(t.clock.now(), start + 3 * minute);
});

test("test worker: RetryLater waits its time and counts no attempt; reschedule moves what waits", async () => {
  const worker = new Timed();
  await using t = testWorker(worker, { clock: manualClock({ start }) });
  const run = await t.enqueue("later");
  await t.clock.advance("25m");
  assert.deepEqual((({ state, dueAt, attempt }) => ({ state, dueAt, attempt }))(await run.status()), {
    state: "scheduled",
    dueAt: start + 30 * minute,
    attempt: 1,
  });
  worker.isOpen = true;
  await run.reschedule({ delay: "1h" });
  await t.clock.advance("59m");
  assert.equal((await run.status()).state, "scheduled");
  await t.clock.advance("1m");
  assert.equal(await run.result(), 1);
  await assert.rejects(run.reschedule({}), (error) => error instanceof NotReschedulable && error.state === "finished");
  const other = await t.enqueue("echo", { n: 1 }, { delay: "1d" });
  await other.reschedule({});
  assert.equal(await other.result(), 1);
});

test("test worker: timeouts go by the clock too, and the attempt after it", async () => {
  await using t = make();
  const run = await t.enqueue("hangs");
  await t.clock.advance("29s");
  assert.equal((await run.status()).state, "running");
  await assert.rejects(run.reschedule({}), NotReschedulable);
  await t.clock.advance("1s");
  assert.deepEqual([(await run.status()).state, (await run.status()).dueAt], ["retrying", start + 90_000]);
  await t.clock.advance("5m");
  await assert.rejects(run.result(), /took longer than its timeout of 30s/);
  assert.deepEqual(
    (await run.status()).attempts.map(({ startedAt, endedAt }) => [startedAt - start, endedAt - start]),
    [
      [0, 30_000],
      [90_000, 120_000],
    ],
  );
});

test("test worker: a run is cancelled while it waits and while it runs; a finished one stays", async () => {
  await using t = make();
  const waiting = await t.enqueue("echo", { n: 1 }, { delay: "1h" });
  assert.equal(await waiting.cancel("enough"), "cancelled");
  await assert.rejects(waiting.result(), (error) => error instanceof RunCancelled && error.reason === "enough");
  await t.clock.advance("2h");
  assert.deepEqual((await waiting.status()).attempts, []);
  const running = await t.enqueue("hangs");
  await t.clock.advance(0);
  assert.equal(await running.cancel(), "stopping");
  await assert.rejects(running.result(), RunCancelled);
  const done = await t.enqueue("echo", { n: 1 });
  await done.result();
  assert.equal(await done.cancel(), "finished");
  assert.equal((await done.status()).state, "completed");
});

test("test worker: middleware, schemas and wrong use are those of a worker", async () => {
  const doubling: ExecuteMiddleware = async ({ input }, next) => next({ input: { n: (input as { n: number }).n * 2 } });
  await using t = make({ middleware: [doubling] });
  assert.equal(await t.run("echo", { n: 4 }), 8);
  await assert.rejects(t.run("echo", { n: "x" }), /invalid input of task "echo": n: /);
  await assert.rejects(t.enqueue("nope"), /TypeError: worker "Timed" has no task "nope"; it has echo, flaky/);
  await assert.rejects(t.enqueue("echo", 1, { delay: "soon" as never }), /"soon" is not a valid duration/);
  await assert.rejects(t.enqueue("echo", 1, { retries: 1 } as never), /"retries" is not an option of a run/);
});

test("test worker: onStart comes before the first run, onStop with the end; what waits is cancelled then", async () => {
  const worker = new Timed();
  const t = testWorker(worker, { clock: manualClock({ start }) });
  assert.deepEqual(worker.log, []);
  const run = await t.enqueue("echo", { n: 1 }, { delay: "1h" });
  const hanging = await t.enqueue("hangs");
  await t.clock.advance(0);
  await t.stop();
  assert.deepEqual(worker.log, ["started", "stopped"]);
  for (const each of [run, hanging]) await assert.rejects(each.result(), /the test worker was stopped/);
  const broken = Object.assign(new Timed(), {
    onStart: () => {
      throw new Error("no database");
    },
  });
  await assert.rejects(testWorker(broken).enqueue("echo"), (error) => error instanceof WorkerNotStarted);
});

test("test worker: without a clock of its own, the time is that of the machine", async () => {
  await using t = testWorker(Timed);
  const before = Date.now();
  assert.equal(await t.run("echo", { n: 1 }, { delay: "50ms" }), 1);
  assert.ok(Date.now() - before >= 40);
});
