// What a user can do with runs, through the public API, against a real server: engine, worker and client in this process.
import assert from "node:assert/strict";
import { z } from "zod";
import {
  connect,
  contract,
  type Natchet,
  of,
  type Payload,
  RetryLater,
  RunNotFound,
  type Running,
  start,
  startEngine,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { type TestServer, testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const Email = z.object({ to: z.string().min(3), subject: z.string().default("hello") });
const resize = contract("resize", { input: of<{ width: number }>(), output: z.object({ url: z.string() }) });
const aborted: string[] = [];
let executions = 0;

@Worker({ name: "runs", slots: 20 })
class Runs {
  @Task("send-email", { input: Email })
  async send(email: Payload<typeof Email>) {
    return { subject: email.subject };
  }

  @Task(resize)
  async resize(input: { width: number }) {
    return { url: `w${input.width}` };
  }

  @Task("echo")
  async echo(input: unknown) {
    executions += 1;
    return input;
  }

  @Task("began")
  async began() {
    return Date.now();
  }

  @Task("wait")
  async wait(_input: unknown, ctx: TaskContext) {
    await new Promise((_, reject) => {
      ctx.signal.addEventListener("abort", () => {
        aborted.push(ctx.runId);
        reject(ctx.signal.reason);
      });
    });
  }

  @Task("patient", { retries: 0 })
  async patient(input: { from: number }, ctx: TaskContext) {
    executions += 1;
    if (Date.now() < input.from) throw new RetryLater(50, "not yet");
    return { attempt: ctx.attempt, errors: ctx.errors.length };
  }

  @Task("large")
  async large(input: { bytes: number }) {
    return "x".repeat(input.bytes);
  }
}

let server: TestServer;
let running: Running;
let client: Natchet;

beforeAll(async () => {
  server = await testServer();
  running = await start(Runs, { url: server.url, signals: false, log: "silent" });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

test("by class, by contract, by name: the same run, typed each time", async () => {
  assert.deepEqual(await client.tasks(Runs).send.run({ to: "a@b.c" }), { subject: "hello" });
  assert.deepEqual(await client.task(resize).run({ width: 3 }), { url: "w3" });
  assert.deepEqual(await client.task<{ n: number }, { n: number }>("echo").run({ n: 1 }), { n: 1 });
});

test("invalid input is refused at the caller by the class, and by the worker without it", async () => {
  await assert.rejects(client.tasks(Runs).send.run({ to: "a" }), /invalid input of task "send-email": to: /);
  await assert.rejects(
    client.task("send-email").run({ to: "a" }),
    /failed: InvalidData: invalid input of task "send-email": to: /,
  );
});

test("the same id twice is one run, whatever its state; its result is everybody's", async () => {
  const echo = client.task<{ n: number }, { n: number }>("echo");
  const before = executions;
  const first = await echo.enqueue({ n: 1 }, { id: "order/42 ü" });
  const second = await echo.enqueue({ n: 2 }, { id: "order/42 ü" });
  assert.deepEqual([first.created, second.created], [true, false]);
  assert.deepEqual(await second.result(), { n: 1 });
  assert.deepEqual(await echo.run({ n: 3 }, { id: "order/42 ü" }), { n: 1 });
  assert.equal(executions - before, 1);
});

test("a task that asks for more time is tried again, though it has no retries, and nothing counts as a failure", async () => {
  const before = executions;
  const handle = await client.task<{ from: number }, unknown>("patient").enqueue({ from: Date.now() + 200 });
  await waitFor(async () => (await handle.status()).state === "scheduled", 20_000, "it to be scheduled");
  assert.match((await handle.status()).waiting?.because ?? "due", /due/);
  assert.deepEqual(await handle.result(), { attempt: 1, errors: 0 });
  assert.ok(executions - before >= 3, `${executions - before} executions`);
  assert.equal((await handle.status()).attempts.length, 1);
});

test("reschedule: sooner, later, and not while it runs or when it has finished", async () => {
  const echo = client.task<number, number>("echo");
  const handle = await echo.enqueue(1, { delay: "1h" });
  await handle.reschedule({ delay: "2h" });
  const { state, dueAt } = await handle.status();
  assert.equal(state, "scheduled");
  assert.ok(Math.abs(dueAt! - Date.now() - 7_200_000) < 60_000);
  await handle.reschedule({});
  assert.equal(await handle.result(), 1);
  await assert.rejects(handle.reschedule({ delay: "1m" }), /has finished; enqueue it again under another id/);
  await assert.rejects(client.get("echo", "never").reschedule({}), RunNotFound);
  const busy = await client.task("wait").enqueue({});
  await waitFor(async () => (await busy.status()).state === "running", 20_000, "it to run");
  await assert.rejects(busy.reschedule({}), /is running; cancel it/);
  await busy.cancel();
});

test("many at once: 10,000 outputs in the order of the inputs", async () => {
  const inputs = Array.from({ length: 10_000 }, (_, n) => ({ n }));
  assert.deepEqual(await client.task<{ n: number }, { n: number }>("echo").runMany(inputs), inputs);
});

test("delay and at: listed as scheduled, due on time, past due at once", async () => {
  const began = client.task<undefined, number>("began");
  const dueAt = Date.now() + 1_000;
  const delayed = await began.enqueue(undefined, { delay: "1s" });
  const timed = await began.enqueue(undefined, { at: new Date(dueAt) });
  await waitFor(
    async () => (await delayed.status()).state === "scheduled",
    20_000,
    "the run to be listed as scheduled",
  );
  const lateBy = [await delayed.result(), await timed.result()].map((at) => at - dueAt);
  for (const ms of lateBy) assert.ok(ms >= -2 && ms < 1_000, `late by ${lateBy.join(" and ")} ms`);
  const past = Date.now();
  assert.ok((await began.run(undefined, { at: 1 })) - past < 150);
});

test("a run that nobody takes is cancelled at its schedule timeout, and says why", async () => {
  const run = await client.task("nobody-has-it").enqueue({}, { scheduleTimeout: "150ms" });
  await assert.rejects(run.result(), /schedule timeout/);
  const info = await run.status();
  assert.equal(info.state, "cancelled");
  assert.match(info.reason!, /150ms/);
});

test("list tells why runs failed or were cancelled when it is asked for errors, and reads nothing otherwise", async () => {
  const metadata = { group: "why" };
  const email = client.task("send-email");
  const failed = await email.enqueue({ to: "" }, { metadata });
  await assert.rejects(failed.result());
  const cancelled = await client.task("echo").enqueue({}, { delay: "1h", metadata });
  await cancelled.cancel("not wanted");
  await email.run({ to: "ada@example.com" }, { metadata });
  const byId = async (errors: boolean) =>
    new Map(
      (await client.list({ metadata }, { errors })).runs.map((run) => [run.id, run.error?.message ?? run.reason]),
    );
  assert.equal((await byId(false)).get(failed.id), undefined);
  const told = await byId(true);
  assert.match(told.get(failed.id)!, /invalid input of task "send-email"/);
  assert.equal(told.get(cancelled.id), "not wanted");
  assert.equal([...told.values()].filter((why) => why === undefined).length, 1);
});

test("cancel: scheduled and queued at once, running by its signal, many by filter", async () => {
  const later = await client.task("echo").enqueue({}, { delay: "1h", metadata: { batch: "7" } });
  const never = await client.task("nobody-has-it").enqueue({}, { scheduleTimeout: null, metadata: { batch: "7" } });
  const now = await client.task("wait").enqueue({}, { metadata: { batch: "7" } });
  await waitFor(async () => (await now.status()).state === "running", 20_000, "the run to be running");
  assert.equal((await client.list({ metadata: { batch: "7" } })).total, 3);
  const { cancelled, stopping } = await client.cancel({ metadata: { batch: "7" } }, "batch 7 is wrong");
  // Its worker may have told already that the third has ended.
  assert.deepEqual([...cancelled, ...stopping].sort(), [later.key, never.key, now.key].sort());
  for (const run of [later, never]) assert.ok(cancelled.includes(run.key));
  for (const run of [later, never, now]) {
    await assert.rejects(run.result(), /cancelled: batch 7 is wrong/);
    assert.equal((await run.status()).state, "cancelled");
  }
  assert.ok(aborted.includes(now.id));
  assert.equal(await now.cancel(), "finished");
  await assert.rejects(client.get("echo", "never-made").cancel(), /not known/);
});

test("payloads over max_payload: refused at the caller, or the run fails, with both sizes named", async () => {
  await assert.rejects(
    client.task("echo").run("x".repeat(2_000_000)),
    /2000002 bytes.*the server accepts at most 1048576/,
  );
  await assert.rejects(
    client.task("large").run({ bytes: 2_000_000 }),
    /2000002 bytes, but the server accepts at most 1048576/,
  );
  assert.equal((await client.task<unknown, string>("large").run({ bytes: 500_000 })).length, 500_000);
});

test("higher priority first, then oldest, across the tasks of a worker", async () => {
  const busy = await client.task("wait").enqueueMany(Array.from({ length: 20 }, () => ({})));
  await waitFor(
    async () => (await client.queues()).find(({ task }) => task === "wait")?.running === 20,
    20_000,
    "all slots to be taken",
  );
  const began = client.task<undefined, number>("began");
  const low = await began.enqueueMany([undefined, undefined]);
  const high = await began.enqueue(undefined, { priority: 9 });
  await busy[0]!.cancel();
  const times = [await high.result(), await low[0]!.result(), await low[1]!.result()];
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  await client.cancel({ task: "wait" });
});

test("wrong options name the value, the rule and an example", async () => {
  const echo = client.task("echo");
  await assert.rejects(echo.enqueue({}, { priority: 10 }), /priority must be a whole number from 1 to 9, not 10/);
  await assert.rejects(echo.enqueue({}, { delay: "soon" as never }), /delay: "soon" is not a valid duration/);
  await assert.rejects(echo.enqueue({}, { id: "" }), /is not a valid run id/);
  await assert.rejects(echo.enqueue({}, { priorty: 1 } as object), /"priorty" is not an option of a run/);
  assert.throws(() => client.task("no good"), /"no good" is not a valid task name/);
});

test("close rejects who still waits, and says that the run goes on", async () => {
  const other = await connect({ url: server.url });
  const waiting = (await other.task("wait").enqueue({})).result();
  const refused = assert.rejects(waiting, /the client was closed; the run itself continues/);
  await other.close();
  await refused;
  await client.cancel({ task: "wait" });
});

test("two namespaces on one server, in one process, do not see each other", async () => {
  const other = await start(Runs, { url: server.url, namespace: "other", signals: false, log: "silent" });
  const there = other.client();
  assert.deepEqual(await there.task("echo").run(1), 1);
  assert.equal((await there.list()).total, 1);
  assert.equal((await there.workers()).length, 1);
  await there.close();
  await other.stop();
});

test("finished runs beyond the retention are forgotten, the stream shrinks, ids can be used again", async () => {
  const engine = await startEngine({
    url: server.url,
    namespace: "small",
    retention: { count: 200 },
    signals: false,
    log: "silent",
  });
  const worker = await start(Runs, {
    url: server.url,
    namespace: "small",
    engine: "off",
    signals: false,
    log: "silent",
  });
  const there = worker.client();
  const echo = there.task<number, number>("echo");
  const first = await echo.enqueue(1, { id: "again" });
  assert.equal(await first.result(), 1);
  for (let i = 0; i < 5; i++) await echo.runMany(Array.from({ length: 200 }, (_, n) => n));
  await waitFor(
    async () => (await there.list({ ids: ["again"] })).total === 0,
    20_000,
    "the first run to be forgotten",
  );
  const again = await echo.enqueue(2, { id: "again" });
  assert.equal(await again.result(), 2);
  assert.ok((await there.list()).total <= 400);
  await there.close();
  await worker.stop();
  await engine.stop();
}, 90_000);
