// Pauses through the public API: they hold, they outlive the engine, and a waiting run says what it waits for.
import assert from "node:assert/strict";
import { connect, type Natchet, type Running, start, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker({ name: "pausable", slots: 2 })
class Pausable {
  @Task("send")
  async send(input: unknown) {
    return input;
  }

  @Task("other")
  async other(input: unknown) {
    return input;
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
const startWorker = () => start(Pausable, { url: server.url, log: "silent", signals: false });

beforeAll(async () => {
  server = await testServer();
  running = await startWorker();
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

test("a paused task waits and says so, also after the engine and the worker were restarted; others go on", async () => {
  assert.deepEqual((await client.pause({ task: "send" })).tasks, ["send"]);
  const handle = await client.task("send").enqueue({ n: 1 });
  assert.deepEqual(await client.task("other").run(2), 2);
  const { state, waiting } = await handle.status();
  assert.deepEqual([state, waiting], ["queued", { for: "resume", because: 'task "send" is paused', position: 1 }]);
  await running.stop();
  running = await startWorker();
  assert.deepEqual(await client.task("other").run(3), 3);
  assert.equal((await handle.status()).state, "queued");
  assert.equal((await client.queues()).find(({ task }) => task === "send")!.paused, true);
  assert.deepEqual((await client.resume({ task: "send" })).tasks, []);
  assert.deepEqual(await handle.result(), { n: 1 });
});

test("a paused worker gets nothing until it is resumed; neither does anybody in a paused namespace", async () => {
  await client.pause({ worker: "pausable" });
  assert.equal((await client.workers())[0]!.state, "paused");
  const handle = await client.task("other").enqueue(4);
  assert.equal((await handle.status()).waiting!.because, "no worker is taking runs: pausable paused");
  await client.pause();
  await client.resume({ worker: "pausable" });
  assert.equal((await handle.status()).waiting!.because, "the namespace is paused");
  await client.resume();
  assert.equal(await handle.result(), 4);
});

test("running ones go on; a name that is none is refused with an example", async () => {
  await assert.rejects(client.pause({ task: "a b" }), /pause: .*"a b"/s);
  await assert.rejects(client.pause({ task: "a", worker: "b" }), /a task or a worker, not both/);
  await waitFor(async () => (await client.workers())[0]!.state === "ready", 20_000, "the worker to be ready");
});
