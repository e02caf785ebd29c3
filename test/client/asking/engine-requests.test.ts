// What is asked while the leader changes waits for the next one, and is asked again.
import assert from "node:assert/strict";
import { EngineRefused, EngineUnreachable, PayloadTooLarge } from "../../../src/domain/errors.ts";
import { afterAll, beforeAll, test } from "../../support/harness.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";
import { openScene } from "../scene.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

test("a request waits for an engine, as long as its timeout says", async () => {
  await using scene = await openScene(server, () => undefined);
  const run = await scene.client.task("a").enqueue(1);
  scene.engine.resign();
  await assert.rejects(run.status({ timeout: "300ms" }), (error) => error instanceof EngineUnreachable);
  const status = run.status();
  const cancelled = scene.client.cancel({ task: "a" });
  scene.engine.lead();
  scene.engine.announce(2);
  assert.equal((await status).state, "queued");
  assert.deepEqual((await cancelled).cancelled, [run.key]);
});

test("an engine that leads no longer, or whose store does not answer, is asked again", async () => {
  await using scene = await openScene(server, () => undefined);
  const run = await scene.client.task("a").enqueue(1);
  scene.engine.instead.push({ name: "NotLeading", message: "gone" }, { name: "StoreUnavailable", message: "busy" });
  assert.equal((await run.status()).state, "queued");
  assert.equal(scene.engine.instead.length, 0);
});

test("an engine that heard a request and stopped does not hold it up once another one leads", async () => {
  await using scene = await openScene(server, () => undefined);
  const run = await scene.client.task("a").enqueue(1);
  scene.engine.instead.push("nothing");
  const status = run.status({ timeout: "4s" }); // shorter than the time that one engine has to answer
  while (scene.engine.instead.length > 0) await scene.nc.flush();
  scene.engine.announce(2);
  assert.equal((await status).state, "queued");
});

test("an answer that is an error, and a request that does not fit, are told at once", async () => {
  await using scene = await openScene(server, () => undefined);
  const run = await scene.client.task("a").enqueue(1);
  scene.engine.instead.push({ name: "PayloadTooLarge", message: "the answer has 2 bytes, the server takes 1" });
  await assert.rejects(
    run.status(),
    (error) => error instanceof EngineRefused && /the server takes 1$/.test(error.message),
  );
  await assert.rejects(
    scene.client.list({ metadata: { text: "x".repeat(2_000_000) } }),
    (error) =>
      error instanceof PayloadTooLarge &&
      /2000\d\d\d bytes, but the server accepts at most 1048576/.test(error.message),
  );
});

test("an engine that does not know all of a filter refuses it, and the client says why; all of a cancel reaches the engine", async () => {
  await using scene = await openScene(server, () => undefined);
  const message = 'malformed list request: Expected object\n  at ["filter"]';
  scene.engine.instead.push({ name: "MalformedRecord", message });
  await assert.rejects(
    scene.client.replay({ reason: "timeout" }),
    (error) => error instanceof EngineRefused && /older version.*upgrade the engine/.test(error.message),
  );
  await scene.client.cancel({ task: "a", reason: "timeout" }, "enough", { kill: true });
  const filter = JSON.stringify({ task: "a", reason: "timeout" });
  assert.deepEqual(scene.engine.cancelled, [{ filter, reason: "enough", kill: true }]);
});
