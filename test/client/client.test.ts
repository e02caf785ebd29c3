// The client against a real server; what an engine would answer is decided by the test.
import assert from "node:assert/strict";
import { z } from "zod";
import { contract, of } from "../../src/domain/contract.ts";
import { InvalidData, PayloadTooLarge, RunCancelled, RunFailed, RunNotFound } from "../../src/domain/errors.ts";
import { toStandard } from "../../src/domain/schema.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import type { Decide } from "./asking/fake-engine.ts";
import { openScene } from "./scene.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const echo: Decide = (_task, input) => ({ kind: "completed", output: input });

test("run: waits for the output, as JSON brings it back", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task<unknown, unknown>("echo");
  assert.deepEqual(await task.run({ at: new Date(0), n: 1, gone: undefined }), {
    at: "1970-01-01T00:00:00.000Z",
    n: 1,
  });
  assert.equal(await task.run(), undefined);
  assert.equal(await task.run(null), null);
  assert.equal(scene.engine.asked.length, 0, "a result that was forwarded is not asked for");
});

test("runMany: outputs in the order of 10,000 inputs", async () => {
  await using scene = await openScene(server, echo);
  const inputs = Array.from({ length: 10_000 }, (_, n) => ({ n }));
  assert.deepEqual(await scene.client.task("echo").runMany(inputs), inputs);
}, 30_000);

test("enqueueMany: handles in order; their results are asked for together, a thousand a request", async () => {
  await using scene = await openScene(server, echo);
  const inputs = Array.from({ length: 2_500 }, (_, n) => n);
  const runs = await scene.client.task<number, number>("echo").enqueueMany(inputs, (n) => ({ id: `n-${n}` }));
  assert.equal(runs[7]!.id, "n-7");
  assert.ok(runs.every((run) => run.created));
  assert.deepEqual(await Promise.all(runs.map((run) => run.result())), inputs);
  assert.deepEqual(
    scene.engine.asked.map(({ keys }) => keys.length),
    [1_000, 1_000, 500],
  );
}, 30_000);

test("a failed or cancelled run rejects with what is stored of it", async () => {
  const attempt = { attempt: 1, turn: 1, worker: "w", startedAt: 1, endedAt: 2, outcome: "failed" } as const;
  const error = { name: "SmtpError", message: "refused" };
  await using scene = await openScene(server, (task) =>
    task === "fail"
      ? { kind: "failed", detail: { error, attempts: [attempt] } }
      : { kind: "cancelled", detail: { reason: "by hand" } },
  );
  const failure = await scene.client
    .task("fail")
    .run()
    .catch((thrown) => thrown);
  assert.ok(failure instanceof RunFailed);
  assert.deepEqual([failure.error, failure.attempts], [error, [attempt]]);
  const cancelled = await scene.client
    .task("other")
    .run()
    .catch((thrown) => thrown);
  assert.ok(cancelled instanceof RunCancelled);
  assert.equal(cancelled.reason, "by hand");
});

test("an id that exists names the first run: not created again, its result for both", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task<number, number>("echo");
  const first = await task.enqueue(1, { id: "order 42/ü" });
  const second = await task.enqueue(2, { id: "order 42/ü" });
  assert.deepEqual([first.created, second.created, second.id], [true, false, "order 42/ü"]);
  assert.deepEqual(await Promise.all([first.result(), second.result(), task.run(3, { id: "order 42/ü" })]), [1, 1, 1]);
});

test("options are stored with the run", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task<number, number>("echo");
  const before = Date.now();
  await task.enqueue(1, { id: "a", delay: "10m", priority: 9, metadata: { customer: "42" }, scheduleTimeout: null });
  await task.enqueue(1, { id: "b", at: new Date(before + 5_000), scheduleTimeout: "1h" });
  await task.run(1, { id: "c" });
  const [a, b, c] = ["a", "b", "c"].map((id) => scene.engine.runs.get(`echo/${id}`)!);
  assert.ok(a!.dueAt >= before + 600_000 && a!.dueAt <= Date.now() + 600_000);
  assert.deepEqual([a!.priority, a!.extra, a!.scheduleTimeoutMs], [9, { metadata: { customer: "42" } }, null]);
  assert.deepEqual([b!.dueAt, b!.scheduleTimeoutMs], [before + 5_000, 3_600_000]);
  assert.deepEqual([c!.dueAt, c!.priority, c!.scheduleTimeoutMs, c!.extra], [0, 0, undefined, undefined]);
});

test("wrong options are refused with a sentence, and nothing is stored", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task("echo");
  const wrong: [object, RegExp][] = [
    [{ prio: 3 }, /"prio" is not an option of a run. Did you mean "priority"\? The options are id, delay/],
    [{ id: "" }, /"" is not a valid run id/],
    [{ priority: 10 }, /from 1 to 9, not 10/],
    [{ delay: "soon" }, /"soon" is not a valid duration/],
    [{ delay: 1, at: new Date() }, /delay and at exclude each other/],
    [{ at: "tomorrow" }, /tomorrow is not a usable time/],
    [{ at: 1e300 }, /1e\+300 is not a usable time/],
    [{ metadata: { n: 1 } }, /n is 1, only text is stored/],
  ];
  for (const [options, message] of wrong) await assert.rejects(task.enqueue(1, options), message);
  const { client } = scene;
  const handle = client.get("t", "a");
  const misspelt: [Promise<unknown>, RegExp][] = [
    [client.cancel({ tasks: "t" } as never), /cancel: "tasks" is not an option of a filter.*Did you mean "task"/],
    [client.list({}, { before: new Date(Number.NaN) }), /list: before: .* is not a usable time/],
    [client.list({ status: ["failed"] } as never), /list: "status" is not an option of a filter/],
    [client.replay({ task: "t", id: "a" } as never), /Did you mean "ids"/],
    [client.pause({ tsk: "t" } as never), /pause: "tsk" is not an option of a pause/],
    [handle.reschedule({ dealy: "1s" } as never), /Did you mean "delay"/],
    [handle.result({ timout: "1s" } as never), /Did you mean "timeout"/],
  ];
  for (const [refused, message] of misspelt) await assert.rejects(refused, message);
  await assert.rejects(task.runMany([1], { id: "a" }), /would name all runs of this call/);
  await assert.rejects(task.run(5n), /the input of task "echo" cannot be written as JSON/);
  assert.throws(() => scene.client.task("a b"), /"a b" is not a valid task name/);
  assert.equal(scene.engine.runs.size, 0);
});

test("a contract checks the input before it is sent, and the output as it arrives; transforms run once", async () => {
  await using scene = await openScene(server, (_task, input) => ({
    kind: "completed",
    output: input.to === "bad" ? { id: "x" } : { id: 7, raw: input },
  }));
  const send = contract("send", {
    input: z.object({
      to: z.string(),
      subject: z.string().default("hello"),
      n: z.string().transform(Number).optional(),
    }),
    output: z.object({ id: z.number().transform((id) => `#${id}`), raw: z.unknown() }),
  });
  const task = scene.client.task(send);
  assert.deepEqual(await task.run({ to: "bob", n: "5" }), { id: "#7", raw: { to: "bob", n: "5" } });
  const refused = await task.run({ to: 5 } as never).catch((thrown) => thrown);
  assert.ok(refused instanceof InvalidData);
  assert.match(refused.message, /^invalid input of task "send": to: /);
  await assert.rejects(task.run({ to: "bad" }), /^InvalidData: invalid output of task "send": id: /);
  assert.equal(scene.engine.runs.size, 2);
});

test("a refused create does not disturb another wait for the same run", async () => {
  await using scene = await openScene(server, () => undefined);
  const send = contract("send", { input: z.object({ to: z.string() }), output: of<number>() });
  const waiting = scene.client.task(send).run({ to: "bob" }, { id: "1" });
  await assert.rejects(scene.client.task(send).run({ to: 1 } as never, { id: "1" }), /invalid input/);
  await assert.rejects(scene.client.task("send").run("x".repeat(2_000_000), { id: "1" }), PayloadTooLarge);
  await scene.client.task("send").enqueue({ to: "eve" }, { id: "1" });
  scene.engine.finish("send/1", { kind: "completed", output: 5 });
  assert.equal(await waiting, 5);
});

test("an input over the server's limit is refused with both sizes", async () => {
  await using scene = await openScene(server, echo);
  const task = scene.client.task("echo");
  await assert.rejects(task.enqueue("x".repeat(1_048_576)), (error: Error) => {
    assert.ok(error instanceof PayloadTooLarge);
    return /task "echo" \(1048578 bytes\).* the server accepts at most 1048576/.test(error.message);
  });
  assert.equal(((await task.run("x".repeat(1_000_000))) as string).length, 1_000_000);
});

test("tasks of a class: by method, with the decorators' names and schemas; anything else says what there is", async () => {
  class Mailer {
    async send(input: { to: string }) {
      return { to: input.to };
    }
    async nightly() {}
  }
  const shapes = new Map([
    ["send", { name: "send-email", input: toStandard(z.object({ to: z.string() }), "x"), output: undefined }],
    ["nightly", { name: "nightly" }],
  ]);
  await using scene = await openScene(server, echo, () => shapes);
  const tasks = scene.client.tasks(Mailer);
  assert.equal(tasks.send.name, "send-email");
  assert.equal(tasks.send, tasks.send);
  assert.deepEqual(await tasks.send.run({ to: "bob" }), { to: "bob" });
  await tasks.nightly.run();
  await assert.rejects(tasks.send.run({ to: 5 } as never), InvalidData);
  assert.throws(() => (tasks as any).helper, /^TypeError: Mailer\.helper is not a task; use one of send, nightly/);
  assert.equal(await Promise.resolve(tasks), tasks);
  assert.equal(scene.client.tasks<Mailer>().nightly.name, "nightly");
});

test("get, status, cancel, list, workers, queues", async () => {
  await using scene = await openScene(server, () => undefined);
  const { client, engine } = scene;
  const run = await client.task("a").enqueue(1, { id: "1" });
  assert.equal((await client.get("a", "1").status()).state, "queued");
  await assert.rejects(client.get("a", "2").status(), RunNotFound);
  await assert.rejects(client.get("a", "2").result(), RunNotFound);
  await assert.rejects(client.get("a", "2").cancel(), RunNotFound);
  await run.cancel("not wanted");
  assert.deepEqual(engine.cancelled.at(-1), { runs: ["a/1"], reason: "not wanted" });
  assert.deepEqual((await client.cancel({ task: "a" })).cancelled, ["a/1"]);
  await assert.rejects(client.cancel({}), /an empty filter would cancel every run/);
  assert.equal((await client.list({ task: "a" }, { limit: 5 })).total, 0);
  assert.equal((await client.queues())[0]!.task, "a");
  assert.equal((await client.workers())[0]!.id, "w1");
  assert.throws(() => client.get("a", ""), /is not a valid run id/);
});
