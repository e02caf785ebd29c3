// ctx.releaseSlot() through the public API.
import assert from "node:assert/strict";
import { connect, start, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

const gate = Promise.withResolvers<void>();
let executing = 0;
let most = 0;

@Worker({ name: "single", slots: 1 })
class Single {
  @Task("waits")
  async waits(_: unknown, ctx: TaskContext) {
    ctx.releaseSlot();
    ctx.releaseSlot();
    await gate.promise;
    return ctx.runId;
  }
  @Task("works")
  async works() {
    most = Math.max(most, ++executing);
    await new Promise((resolve) => setTimeout(resolve, 5));
    executing--;
  }
}

test("many attempts wait without a slot, the others never exceed theirs, and all complete", async () => {
  const server = await testServer();
  const running = await start(Single, { url: server.url, log: "silent", signals: false });
  const client = await connect({ url: server.url });
  const waiting = await client.task("waits").enqueueMany(Array.from({ length: 20 }, () => ({})));
  await Promise.all(
    (await client.task("works").enqueueMany(Array.from({ length: 20 }, () => ({})))).map((run) => run.result()),
  );
  assert.equal(most, 1);
  for (const run of waiting) assert.equal((await run.status()).state, "running");
  gate.resolve();
  assert.deepEqual(
    await Promise.all(waiting.map((run) => run.result())),
    waiting.map(({ id }) => id),
  );
  most = 0;
  await Promise.all(
    (await client.task("works").enqueueMany(Array.from({ length: 10 }, () => ({})))).map((run) => run.result()),
  );
  assert.equal(most, 1, "the slots are as many as before");
  await client.close();
  await running.stop();
  await server.stop();
});
