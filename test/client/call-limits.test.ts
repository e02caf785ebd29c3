// Callers who do not wait for ever: what they are told, and what becomes of the run.
import assert from "node:assert/strict";
import { EnqueueNotConfirmed, ResultNotAwaited, RunFailed } from "../../src/domain/errors.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";
import { openScene } from "./scene.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

test("run: gives up the wait when its time is over; the run goes on", async () => {
  await using scene = await openScene(server, () => undefined);
  const run = scene.client.task("slow").run(1, { id: "a", timeout: "100ms" });
  await assert.rejects(run, (error: Error) => {
    assert.ok(error instanceof ResultNotAwaited);
    assert.equal(error.message, "stopped waiting for run slow/a: no output after 100ms; the run itself continues");
    return true;
  });
  scene.engine.finish("slow/a", { kind: "completed", output: 7 });
  assert.equal(await scene.client.get("slow", "a").result({ timeout: "10s" }), 7);
});

test("run, enqueue, result: an error that comes later shows the line of who awaits it, and those of the task", async () => {
  const stack = "TypeError: no recipient\n    at send (/app/mail.ts:4:9)";
  const thrown = { name: "TypeError", message: "no recipient", stack };
  await using scene = await openScene(server, () => ({ kind: "failed", detail: { error: thrown } }));
  const task = scene.client.task("mail");
  const calls = [
    async () => await task.run(1),
    async () => await task.runMany([1, 2]),
    async () => await (await task.enqueue(1, { timeout: "10s" })).result(),
  ];
  for (const call of calls)
    await assert.rejects(call(), (error: Error) => {
      assert.match(error.stack!, /^RunFailed: run mail\/.* failed.*\n {4}at async .*call-limits\.test\.ts/);
      const { name, message, stack } = error.cause as Error;
      assert.deepEqual({ name, message, stack }, thrown);
      return error instanceof RunFailed;
    });
});

test("run, result: a signal ends the wait, with what it was aborted with; one aborted before stores nothing", async () => {
  await using scene = await openScene(server, () => undefined);
  const task = scene.client.task("slow");
  const abort = new AbortController();
  const reason = new Error("the request was closed");
  const waiting = [
    task.run(1, { id: "a", signal: abort.signal }),
    task.runMany([1, 2], { signal: abort.signal, timeout: "1m" }),
    scene.client.get("slow", "a").result({ signal: abort.signal }),
  ];
  await waitFor(() => scene.engine.runs.size === 3, 10_000, "the runs");
  setTimeout(() => abort.abort(reason), 50); // the acknowledgements come at about the time of the entries
  for (const one of waiting)
    await assert.rejects(one, (error: Error) => error instanceof ResultNotAwaited && error.cause === reason);
  await assert.rejects(task.run(2, { id: "b", signal: abort.signal }), reason);
  await assert.rejects(task.enqueue(2, { id: "c", signal: abort.signal }), reason);
  await scene.nc.flush();
  assert.equal(scene.engine.runs.size, 3);
});

test("enqueue, run: while NATS is away they end in time; what was on its way is stored when it is back", async () => {
  const away = await startNatsServer();
  try {
    await using scene = await openScene(away, () => undefined);
    const task = scene.client.task("mail");
    await task.enqueue(0, { id: "before", timeout: "10s" });
    await away.shutDown();
    await waitFor(() => scene.nc.isClosed() || !scene.nc.info, 10_000, "the outage");
    const isUnknown = (error: Error) =>
      error instanceof EnqueueNotConfirmed &&
      /^run mail\/\w+ is not confirmed to be stored: no (ackn|outp)/.test(error.message);
    await assert.rejects(task.enqueue(1, { id: "a", timeout: "100ms" }), isUnknown);
    await assert.rejects(task.run(1, { id: "b", timeout: "100ms" }), isUnknown);
    await away.restart();
    const again = await task.enqueue(1, { id: "a", timeout: "20s" });
    assert.equal(again.created, false, "the first call has stored it");
  } finally {
    await away.stop();
  }
});

test("a call that is given up in its middleware stores nothing", async () => {
  await using scene = await openScene(server, () => undefined, undefined, [
    async (_call, next) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return next();
    },
  ]);
  const call = scene.client.task("mail").enqueue(1, { timeout: "20ms" });
  await assert.rejects(call, /no run of task "mail" was stored: no acknowledgement after 20ms/);
  await assert.rejects(scene.client.task("mail").run(1, { id: "second", timeout: "20ms" }), EnqueueNotConfirmed);
  await scene.client.task("mail").enqueue(1, { id: "third" });
  await scene.nc.flush();
  assert.deepEqual([...scene.engine.runs.keys()], ["mail/third"]);
});
