// Batch tasks through the public API.
import assert from "node:assert/strict";
import { checkTask } from "../../src/domain/task.ts";
import {
  type BatchContext,
  connect,
  type Natchet,
  RunCancelled,
  RunFailed,
  type Running,
  start,
  startEngine,
  Task,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

let calls: number[][] = [];
let release = Promise.withResolvers<void>();

@Worker({ name: "batching", slots: 3 })
class Batching {
  @Task("double", { batch: { size: 10, interval: "50ms" } })
  async double(inputs: number[]) {
    calls.push(inputs);
    return inputs.map((n) => 2 * n);
  }

  @Task("picky", { batch: { size: 4, interval: "1s" }, retries: { limit: 2, backoff: "fixed", base: 1 } })
  async picky(inputs: { n: number }[], ctx: BatchContext) {
    calls.push(inputs.map(({ n }) => n));
    return inputs.map(({ n }, i) => (n === 3 && ctx.members[i]!.attempt === 1 ? new Error("three at first") : n));
  }

  @Task("keyed", { batch: { size: 2, interval: "50ms", key: "input.model" } })
  async keyed(inputs: { model: string }[]) {
    return inputs.map(({ model }) => `${model} of ${inputs.length}`);
  }

  @Task("held", { batch: { size: 2, interval: "1m" } })
  async held(inputs: string[], ctx: BatchContext) {
    await release.promise;
    return inputs.map((input, i) => `${input} ${ctx.members[i]!.signal.aborted}`);
  }

  @Task("short", { batch: { size: 2, interval: "20ms" } })
  async short(): Promise<string[]> {
    return [];
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
beforeAll(async () => {
  server = await testServer();
  running = await start(Batching, { url: server.url, log: "silent", signals: false });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  release.resolve();
  await client.close();
  await running.stop();
  await server.stop();
});

test("the handler gets many inputs, each caller its own output", async () => {
  calls = [];
  const handles = await client.task("double").enqueueMany(Array.from({ length: 25 }, (_, i) => i));
  assert.deepEqual(
    await Promise.all(handles.map((handle) => handle.result())),
    Array.from({ length: 25 }, (_, i) => 2 * i),
  );
  assert.deepEqual(
    calls.map((inputs) => inputs.length),
    [10, 10, 5],
  );
});

test("an Error in place of an output fails its run alone, and only that is tried again", async () => {
  calls = [];
  const handles = await client.task("picky").enqueueMany([1, 2, 3, 4].map((n) => ({ n })));
  assert.deepEqual(await Promise.all(handles.map((handle) => handle.result())), [1, 2, 3, 4]);
  assert.deepEqual(calls, [[1, 2, 3, 4], [3]]);
});

test("batches of a key; a run without it fails alone", async () => {
  const task = client.task("keyed");
  const models = ["a", "b", "a", "b"];
  const handles = await Promise.all(models.map((model) => task.enqueue({ model })));
  const bad = await task.enqueue({});
  assert.deepEqual(await Promise.all(handles.map((handle) => handle.result())), [
    "a of 2",
    "b of 2",
    "a of 2",
    "b of 2",
  ]);
  await assert.rejects(bad.result(), RunFailed);
});

test("a member that is cancelled ends as cancelled, the others complete", async () => {
  release = Promise.withResolvers();
  const [one, two] = await client.task("held").enqueueMany(["one", "two"]);
  await waitFor(async () => (await one!.status())?.state === "running", 20_000, "the batch to run");
  await two!.cancel();
  release.resolve();
  assert.equal(await one!.result(), "one false");
  await assert.rejects(two!.result(), RunCancelled);
});

test("middleware goes around each member; one that answers itself is no member", async () => {
  const other = await start(
    {
      name: "wrapped",
      slots: 1,
      labels: {},
      tasks: [
        {
          ...checkTask("wrapped", { batch: { size: 3, interval: "1s" } }),
          handler: (inputs: number[]) => inputs.map((n) => [n, inputs.length]),
        },
      ],
      middleware: [({ input }, next) => (input === 0 ? "none" : next({ input: (input as number) * 10 }))],
    },
    { url: server.url, log: "silent", signals: false, engine: "off" },
  );
  const handles = await client.task("wrapped").enqueueMany([0, 1, 2]);
  assert.deepEqual(await Promise.all(handles.map((handle) => handle.result())), ["none", [10, 2], [20, 2]]);
  await other.stop();
});

test("a handler that returns too little fails its runs, and says so", async () => {
  await assert.rejects(client.task("short").run("x"), (error: Error) => {
    assert.match(
      error.message,
      /must return an array with one output, or Error, for each of its 1 inputs, not 0 outputs/,
    );
    return true;
  });
});

@Worker({ name: "wide", slots: 1 })
class Wide {
  @Task("weigh", { batch: { size: 12, interval: "10s" } })
  async weigh(inputs: { text: string }[]) {
    calls.push(inputs.map(({ text }) => text.length));
    return inputs.map(() => inputs.length);
  }
}

test("a batch that no message holds travels in several, and is one call in one slot", async () => {
  calls = [];
  const where = { url: server.url, namespace: "wide", log: "silent", signals: false } as const;
  const engine = await startEngine(where);
  await engine.whenLeading();
  const apart = await start(Wide, { ...where, engine: "off" });
  const text = "x".repeat(200_000); // twelve are more than two messages
  const outputs = await apart.client().task<{ text: string }>("weigh").runMany(Array(12).fill({ text }));
  assert.deepEqual(outputs, Array(12).fill(12));
  assert.deepEqual(calls, [Array(12).fill(200_000)]);
  await apart.stop();
  await engine.stop();
});
