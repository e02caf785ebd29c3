// Inputs that outcomes do not repeat, through the public API: whoever asks for one of a finished run gets it.
import assert from "node:assert/strict";
import { connect as connectToServer } from "@nats-io/transport-node";
import { PayloadTooLarge } from "../../src/domain/errors.ts";
import {
  connect,
  Durable,
  type DurableContext,
  type Natchet,
  OnFailure,
  type Running,
  signal,
  start,
  startEngine,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

interface Page {
  readonly name: string;
  readonly text: string;
}
const page = (name: string): Page => ({ name, text: name.repeat(200_000 / name.length) });
const handled = new Map<string, unknown>();

@Worker({ name: "press", slots: 5 })
class Press {
  @Task("print")
  async print({ name, text }: Page, { attempt }: TaskContext) {
    if (name === "torn") throw new Error("paper jam");
    return { name, length: text.length, attempt };
  }
  @OnFailure("print")
  async printFailed(input: unknown, { failedRun }: TaskContext) {
    handled.set(failedRun!.id, input);
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let running: Running;
let client: Natchet;
beforeAll(async () => {
  server = await testServer();
  running = await start(Press, { url: server.url, namespace: "pages", log: "silent", signals: false });
  client = await connect({ url: server.url, namespace: "pages" });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

test("a finished run still has its input: completed, failed, or cancelled by the engine", async () => {
  const done = await client.task("print").enqueue(page("whole"));
  assert.deepEqual(await done.result(), { name: "whole", length: 200_000, attempt: 1 });
  assert.deepEqual((await done.status()).input, page("whole"));
  const torn = await client.task("print").enqueue(page("torn"));
  await assert.rejects(torn.result(), /paper jam/);
  assert.deepEqual((await torn.status()).input, page("torn"));
  const late = await client.task("print").enqueue(page("late"), { delay: "1h", id: "late" });
  await late.cancel();
  const { state, input } = await late.status();
  assert.deepEqual([state, input], ["cancelled", page("late")]);
});

test("it runs again with the same input", async () => {
  const done = await client.task("print").enqueue(page("again"), { id: "again" });
  await done.result();
  assert.deepEqual(await (await done.replay()).result(), { name: "again", length: 200_000, attempt: 1 });
  const [first, second] = await Promise.all(
    [1, 2].map(() => client.task("print").enqueue(page("again"), { id: "again" })),
  );
  assert.deepEqual([first?.created, second?.created], [false, false]);
});

test("the handler of a failure gets the input", async () => {
  const torn = await client.task("print").enqueue(page("torn"));
  await assert.rejects(torn.result(), /paper jam/);
  await waitFor(() => handled.has(torn.id), 20_000, "the handler to be called");
  assert.deepEqual(handled.get(torn.id), page("torn"));
});

test("when the entry is gone, the rest is still told", async () => {
  const done = await client.task("print").enqueue(page("gone"));
  await done.result();
  const nc = await connectToServer({ servers: server.url, token: new URL(server.url).username });
  const subjects = new Subjects("pages");
  const filter = JSON.stringify({ filter: subjects.run("print", done.id) });
  const reply = await nc.request(`$JS.API.STREAM.PURGE.${subjects.stream}`, filter);
  assert.equal((reply.json() as { purged: number }).purged, 1, "it stood in the stream until now");
  await nc.close();
  const { state, input, output } = await done.status();
  assert.deepEqual([state, input, output], ["completed", undefined, { name: "gone", length: 200_000, attempt: 1 }]);
  await assert.rejects(done.replay(), /its input is no longer kept/);
});

const Chapter = signal<string>("chapter");

@Worker({ name: "binders", slots: 5 })
class Binders {
  @Durable("bind") async bind(cover: string, ctx: DurableContext) {
    let length = cover.length;
    for (let i = 0; i < 3; i++) length += (await ctx.waitFor(Chapter)).length;
    return length;
  }
}

test("a durable run whose input and signals do not fit into a message together goes on, with and without its frame", async () => {
  const where = { url: server.url, namespace: "books", log: "silent", signals: false } as const;
  const engine = await startEngine(where);
  const books = await connect({ url: server.url, namespace: "books" });
  for (const count of [10, 0]) {
    const worker = await start(Binders, { ...where, engine: "off", keptFrames: { count } });
    const cover = "x".repeat(1_000_000);
    const book = await books.tasks(Binders).bind.enqueue(cover);
    for (let i = 0; i < 3; i++) await book.send(Chapter, "y".repeat(250_000));
    await assert.rejects(book.send(Chapter, "y".repeat(270_000)), PayloadTooLarge);
    assert.equal(await book.result(), 1_750_000);
    assert.equal((await book.status()).input, cover);
    await worker.stop();
  }
  await books.close();
  await engine.stop();
}, 60_000);
