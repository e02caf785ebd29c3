// Answers have a size: whatever names many runs, or is large, arrives; and it costs a number of messages that does not grow with the runs.
import assert from "node:assert/strict";
import { connect as connectToServer, type NatsConnection } from "@nats-io/transport-node";
import { connect, type Natchet, type RunHandle, type Running, start, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const namespace = "sizes";
const subjects = new Subjects(namespace);

@Worker({ name: "press", slots: 1_000 })
class Press {
  @Task("count")
  count(n: number) {
    return n;
  }
  @Task("print")
  print({ letters }: { letters: number }) {
    return "x".repeat(letters);
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let running: Running;
let client: Natchet;
let nc: NatsConnection;
beforeAll(async () => {
  server = await testServer();
  running = await start(Press, { url: server.url, namespace, log: "silent", signals: false });
  client = await connect({ url: server.url, namespace });
  nc = await connectToServer({ servers: server.url, token: new URL(server.url).username });
});
afterAll(async () => {
  await nc.close();
  await client.close();
  await running.stop();
  await server.stop();
});

/** Counts the messages on a subject until it is disposed of. */
async function listen(subject: string): Promise<{ readonly count: () => number } & Disposable> {
  let heard = 0;
  const subscription = nc.subscribe(subject, { callback: () => void heard++ });
  await nc.flush();
  return { count: () => heard, [Symbol.dispose]: () => subscription.unsubscribe() };
}

const hasEnded = async (task: string, count: number) =>
  (await client.list({ task, state: ["completed"] }, { limit: 1 })).total === count;

const many = 10_000;
let counted: RunHandle<number>[] = [];

test("ten thousand results of runs that have ended cost a read for each entry that holds some of them", async () => {
  using entries = await listen(subjects.outcomes);
  counted = await client.task<number, number>("count").enqueueMany(Array.from({ length: many }, (_, n) => n));
  await waitFor(() => hasEnded("count", many), 60_000, "the runs to end");
  using reads = await listen(`$JS.API.DIRECT.GET.${subjects.stream}`);
  using requests = await listen(subjects.engine("result"));
  const results = await Promise.all(counted.map((run) => run.result()));
  assert.deepEqual(
    results,
    Array.from({ length: many }, (_, n) => n),
  );
  await nc.flush();
  assert.ok(reads.count() <= entries.count(), `${reads.count()} reads of ${entries.count()} entries`);
  assert.ok(requests.count() <= many / 1_000 + 2, `${requests.count()} requests`);
}, 120_000);

test("a cancel of forty thousand runs by a filter says which, in answers that fit", async () => {
  const waiting = client.task<number>("nobody-has-it");
  const runs = await waiting.enqueueMany(Array.from({ length: 40_000 }, (_, n) => n));
  const { cancelled, unknown, finished } = await client.cancel({ task: "nobody-has-it" });
  assert.deepEqual([new Set(cancelled).size, cancelled.length, unknown, finished], [40_000, 40_000, [], []]);
  assert.ok(cancelled.includes(runs[0]!.key));
  assert.equal((await client.cancel({ task: "nobody-has-it" })).cancelled.length, 0);
}, 120_000);

test("a list of any length holds each run once, also those of one millisecond, in one call or with cursors", async () => {
  const { runs, total, cursor } = await client.list({ task: "count" }, { limit: many });
  assert.deepEqual(
    [runs.length, new Set(runs.map((run) => run.id)).size, total, cursor],
    [many, many, many, undefined],
  );
  const paged: string[] = [];
  let next: string | undefined;
  do {
    const list = await client.list({ task: "count" }, { limit: 3_333, ...(next !== undefined && { cursor: next }) });
    paged.push(...list.runs.map((run) => run.id));
    next = list.cursor;
  } while (next !== undefined);
  assert.deepEqual(
    paged,
    runs.map((run) => run.id),
  );
  await assert.rejects(client.list({}, { cursor: "somewhere" }), TypeError);
});

test("a filter and a cancel that name more ids than fit a message are asked in parts", async () => {
  const ids = Array.from({ length: 6_000 }, (_, n) => `${"i".repeat(200)}${n}`);
  const waiting = client.task<number>("named");
  await waiting.enqueueMany(
    ids.map((_, n) => n),
    (n) => ({ id: ids[n as number]! }),
  );
  const { runs, total, cursor } = await client.list({ task: "named", ids }, { limit: 10 });
  assert.deepEqual([runs.length, total], [10, 6_000]);
  const rest = await client.list({ task: "named", ids }, { limit: 6_000, cursor: cursor! });
  assert.equal(new Set([...runs, ...rest.runs].map((run) => run.id)).size, 6_000);
  const reply = await client.cancel({ task: "named", ids });
  assert.equal(new Set(reply.cancelled).size, 6_000);
}, 60_000);

test("a run whose input and output do not fit one message has both, and runs again with them", async () => {
  const text = "i".repeat(600_000);
  const run = await client.task<{ letters: number; text: string }, string>("print").enqueue({ letters: 600_000, text });
  assert.equal((await run.result()).length, 600_000);
  const { input, output } = (await run.status()) as { input: { text: string }; output: string };
  assert.deepEqual([input.text.length, output.length], [600_000, 600_000]);
  assert.equal((await (await run.replay()).result()).length, 600_000);
});

test("six hundred results of 150 kB that end together arrive", async () => {
  const print = client.task<{ letters: number }, string>("print");
  const texts = await print.runMany(Array.from({ length: 300 }, () => ({ letters: 150_000 })));
  const named = await print.runMany(
    Array.from({ length: 300 }, () => ({ letters: 150_000 })),
    (_, n) => ({ id: `named-${n}` }),
  );
  assert.ok([...texts, ...named].every((text) => text.length === 150_000));
}, 120_000);
