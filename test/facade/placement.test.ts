// Labels, sticky tasks and runs of several slots through the public API.
import assert from "node:assert/strict";
import { connect, type Natchet, type Running, start, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const seen: { id: string; by: string; attempt: number }[] = [];
const note = (by: string, ctx: TaskContext) => seen.push({ id: ctx.runId, by, attempt: ctx.attempt });
let heavy = 0;
let mostHeavy = 0;

@Worker({ name: "first", slots: 5, labels: { gpu: "t4", memory: 16 } })
class First {
  @Task("render", { affinity: { memory: { value: 64, comparator: ">=", weight: 10 } } })
  async render(_: unknown, ctx: TaskContext) {
    note("first", ctx);
  }
  @Task("again", { sticky: "hard", retries: { limit: 3, backoff: "fixed", base: 5 } })
  async again(_: unknown, ctx: TaskContext) {
    note("first", ctx);
    if (ctx.attempt < 4) throw new Error("once more");
  }
  @Task("heavy", { slots: 2 })
  async heavy() {
    mostHeavy = Math.max(mostHeavy, ++heavy);
    await new Promise((resolve) => setTimeout(resolve, 5));
    heavy--;
  }
}
@Worker({ name: "second", slots: 5, labels: { gpu: "t4", memory: 128 } })
class Second {
  @Task("render", { affinity: { memory: { value: 64, comparator: ">=", weight: 10 } } })
  async render(_: unknown, ctx: TaskContext) {
    note("second", ctx);
  }
  @Task("again", { sticky: "hard", retries: { limit: 3, backoff: "fixed", base: 5 } })
  async again(_: unknown, ctx: TaskContext) {
    note("second", ctx);
    if (ctx.attempt < 4) throw new Error("once more");
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
beforeAll(async () => {
  server = await testServer();
  running = await start([First, Second], { url: server.url, log: "silent", signals: false });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});
const whoRan = (id: string) => seen.filter((one) => one.id === id).map(({ by }) => by);

test("the worker that suits best gets the runs; a run's own wish goes first", async () => {
  await Promise.all(["a", "b", "c"].map((id) => client.task("render").run({}, { id })));
  for (const id of ["a", "b", "c"]) assert.deepEqual(whoRan(id), ["second"]);
  await client.task("render").run({}, { id: "small", affinity: { memory: { value: 32, comparator: "<" } } });
  assert.deepEqual(whoRan("small"), ["first"]);
});

test("a required label that no worker has: the run waits and says so, until a worker changes its labels", async () => {
  const handle = await client.task("render").enqueue({}, { affinity: { gpu: { value: "a100", required: true } } });
  await waitFor(async () => (await handle.status())?.waiting !== undefined, 20_000, "the run to wait");
  assert.equal((await handle.status())!.waiting!.because, 'no connected worker has gpu = "a100"');
  await running.workers[0]!.label({ gpu: "a100" });
  await handle.result();
  assert.deepEqual(whoRan(handle.id), ["first"]);
});

test("sticky: every attempt goes to the worker of the first", async () => {
  const handles = await client.task("again").enqueueMany(Array.from({ length: 10 }, () => ({})));
  await Promise.all(handles.map((handle) => handle.result()));
  for (const { id } of handles) assert.deepEqual(new Set(whoRan(id)).size, 1, whoRan(id).join());
  assert.equal(new Set(seen.filter(({ attempt }) => attempt === 4).map(({ by }) => by)).size, 2);
});

test("two runs of two slots fit into five", async () => {
  const handles = await client.task("heavy").enqueueMany(Array.from({ length: 12 }, () => ({})));
  await Promise.all(handles.map((handle) => handle.result()));
  assert.equal(mostHeavy, 2);
});
