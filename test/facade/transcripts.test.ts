// What runs say, through the public API, against a real server: engine, worker and client in this process.
import assert from "node:assert/strict";
import {
  connect,
  type LogLine,
  type Natchet,
  type Running,
  type StreamChunk,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { type TestServer, testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

/** Runs stop here until the test lets them go on, by the name of the gate. */
const gates = new Map<string, () => void>();
const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
const open = async (name: string) => {
  await waitFor(() => gates.has(name), 20_000, `somebody at the gate ${name}`);
  gates.get(name)!();
  gates.delete(name);
};

@Worker({ name: "talking", slots: 250 })
class Talking {
  @Task("chunks", { timeout: "2m" })
  async chunks({ from = 0, count }: { from?: number; count: number }, ctx: TaskContext) {
    for (let n = from; n < from + count; n++) await ctx.stream(n);
  }

  @Task("halves", { timeout: "2m" })
  async halves({ name }: { name: string }, ctx: TaskContext) {
    for (let n = 0; n < 50; n++) await ctx.stream(`${n} `);
    ctx.progress(0.5, "half of it");
    await gate(name);
    for (let n = 50; n < 100; n++) await ctx.stream(`${n} `);
  }

  @Task("kinds")
  async kinds(_input: unknown, ctx: TaskContext) {
    await ctx.stream("text");
    await ctx.stream(new Uint8Array([1, 2, 255]));
    await ctx.stream({ a: [1, null] });
    await ctx.stream(null);
  }

  @Task("retried", { retries: { limit: 2, backoff: "fixed", base: 10 } })
  async retried({ lines }: { lines: number }, ctx: TaskContext) {
    for (let n = 0; n < lines; n++) ctx.log.info(`line ${n} of attempt ${ctx.attempt}`, { n });
    await ctx.stream(`attempt ${ctx.attempt}`);
    if (ctx.attempt < 3) throw new Error(`attempt ${ctx.attempt} fails`);
  }

  @Task("lines")
  async lines({ count }: { count: number }, ctx: TaskContext) {
    for (let n = 0; n < count; n++) ctx.log.warn(`line ${n}`);
  }

  @Task("strange")
  async strange(_input: unknown, ctx: TaskContext) {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    ctx.log.info("circle", circle);
    ctx.log.error("an error", { error: new TypeError("bad"), big: 5n });
    ctx.log.debug("x".repeat(20_000), { large: "y".repeat(50_000) });
    ctx.log.info(undefined as never);
    for (const chunk of [undefined, () => 1, circle, 5n]) assert.throws(() => ctx.stream(chunk), TypeError);
    assert.throws(() => ctx.stream("x".repeat(2_000_000)), /2000000 bytes/);
    assert.throws(() => ctx.progress(2), RangeError);
  }

  @Task("hasty")
  async hasty({ megabytes }: { megabytes: number }, ctx: TaskContext) {
    const last: Promise<void>[] = [];
    for (let n = 0; n < megabytes * 10; n++) last.push(ctx.stream(new Uint8Array(100_000).fill(n)));
    const refused = await Promise.allSettled(last).then((all) => all.filter((one) => one.status === "rejected"));
    await ctx.stream("the end");
    return { refused: refused.length, why: String(refused[0]?.reason) };
  }

  @Task("bulk")
  async bulk({ megabytes }: { megabytes: number }, ctx: TaskContext) {
    for (let n = 0; n < megabytes * 10; n++) await ctx.stream(new Uint8Array(100_000).fill(n));
  }

  @Task("careless")
  async careless(_input: unknown, ctx: TaskContext) {
    for (let n = 0; n < 100; n++) void ctx.stream(new Uint8Array(100_000));
  }

  @Task("until-cancelled")
  async untilCancelled(_input: unknown, ctx: TaskContext) {
    ctx.log.info("waiting");
    await ctx.stream("before");
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    ctx.log.warn("aborted");
  }

  @Task("silent")
  async silent(input: unknown) {
    return input;
  }

  @Task("late")
  async late(_input: unknown, ctx: TaskContext) {
    setTimeout(() => {
      ctx.log.info("too late");
      void ctx.stream("too late");
      gates.set("late", () => {});
    }, 50);
  }
}

let server: TestServer;
let running: Running;
let client: Natchet;

beforeAll(async () => {
  server = await testServer();
  running = await start(Talking, { url: server.url, signals: false, log: "silent" });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
const valuesOf = (chunks: readonly StreamChunk[]) => chunks.map(({ value }) => value);
const messagesOf = (lines: readonly LogLine[]) => lines.map(({ message }) => message);
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from);

test("stream: a late reader gets everything in order, so do two live ones, and all end with the run", async () => {
  const run = await client.task("halves").enqueue({ name: "halves" });
  const live = [all(run.stream()), all(client.get("halves", run.id).stream())];
  await waitFor(() => gates.has("halves"), 20_000, "the first half");
  const byNow = await all(run.stream({ follow: false }));
  const joined = all(run.stream());
  await waitFor(async () => (await run.progress()) !== undefined, 10_000, "the progress");
  const { fraction, note, attempt } = (await run.progress())!;
  assert.deepEqual({ fraction, note, attempt }, { fraction: 0.5, note: "half of it", attempt: 1 });
  await open("halves");
  const expected = numbers(100).map((n) => `${n} `);
  assert.deepEqual(valuesOf(byNow), expected.slice(0, byNow.length));
  for (const reader of [...live, joined]) assert.deepEqual(valuesOf(await reader), expected);
  assert.deepEqual(valuesOf(await all(run.stream())), expected);
  assert.equal((await run.progress())?.fraction, 0.5);
});

test("stream: text, bytes and JSON come back as they were given", async () => {
  const run = await client.task("kinds").enqueue();
  const chunks = await all(run.stream());
  assert.deepEqual(valuesOf(chunks), ["text", new Uint8Array([1, 2, 255]), { a: [1, null] }, null]);
  for (const { attempt, turn, at } of chunks) assert.deepEqual([attempt, turn, at > 0], [1, 1, true]);
});

test("a retried run: all attempts told apart, one of them, or the newest", async () => {
  const run = await client.task("retried").enqueue({ lines: 1 });
  const chunks = await all(run.stream());
  assert.deepEqual(
    chunks.map(({ attempt, value }) => ({ attempt, value })),
    [1, 2, 3].map((attempt) => ({ attempt, value: `attempt ${attempt}` })),
  );
  assert.deepEqual(valuesOf(await all(run.stream({ attempt: "newest" }))), ["attempt 3"]);
  assert.deepEqual(valuesOf(await all(run.stream({ attempt: 2 }))), ["attempt 2"]);
  assert.deepEqual(messagesOf(await all(run.logs({ attempt: 1 }))), ["line 0 of attempt 1"]);
  assert.deepEqual((await all(run.logs()))[0]?.fields, { n: 0 });
  await assert.rejects(() => all(run.stream({ attempt: 0 })), /0 is not "all", "newest" or a number from 1/);
});

test("logs: the first 1,000 lines, then a mark that says how many are missing", async () => {
  const exact = await client.task("lines").enqueue({ count: 1_000 });
  assert.deepEqual(
    messagesOf(await all(exact.logs())),
    numbers(1_000).map((n) => `line ${n}`),
  );
  const more = await client.task("lines").enqueue({ count: 1_001 });
  const lines = await all(more.logs());
  assert.equal(lines.length, 1_001);
  assert.equal(lines[999]?.message, "line 999");
  assert.equal(lines[1_000]?.dropped, 1);
  assert.match(lines[1_000]!.message, /^1 lines dropped: the first 1000 of a run are stored/);
});

test("logs: the limit is that of the run, not of an attempt", async () => {
  const run = await client.task("retried").enqueue({ lines: 600 });
  const lines = await all(run.logs());
  const perAttempt = [1, 2, 3].map((n) => lines.filter((line) => line.attempt === n && line.dropped === undefined));
  assert.deepEqual(
    perAttempt.map((of) => of.length),
    [600, 400, 0],
  );
  assert.deepEqual(
    lines.filter((line) => line.dropped !== undefined).map(({ attempt, dropped }) => [attempt, dropped]),
    [
      [2, 200],
      [3, 600],
    ],
  );
});

test("logs: what cannot be written does not fail the task; bad chunks are refused with an example", async () => {
  const run = await client.task("strange").enqueue();
  const lines = await all(run.logs());
  await run.result();
  assert.match(String(lines[0]?.fields?.["unwritable"]), /TypeError/);
  assert.deepEqual(lines[1]?.fields, { error: "TypeError: bad", big: "5" });
  assert.match(lines[2]!.message, /… \(11808 more characters\)$/);
  assert.match(String(lines[2]?.fields?.["cut"]), /fields of .* are too large/);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ["info", "error", "debug", "info"],
  );
});

test("stream: who does not await is refused at the bound, the gap is visible, and nothing crashes", async () => {
  const run = await client.task<unknown, { refused: number; why: string }>("hasty").enqueue({ megabytes: 8 });
  const chunks = await all(run.stream());
  const { refused, why } = await run.result();
  assert.ok(refused > 0);
  assert.match(why, /StreamTooFast: ctx.stream of run hasty.*await ctx.stream\(chunk\)/);
  assert.equal(chunks.length + refused, 81);
  assert.equal(chunks.at(-1)?.value, "the end");
  assert.equal(chunks.at(-1)?.missed, refused);
  const careless = await client.task("careless").enqueue();
  const heard = await all(careless.stream());
  assert.ok(heard.length >= 40 && heard.length < 100, `${heard.length} chunks`);
  assert.equal((await careless.status()).state, "completed");
  assert.equal((await all(careless.logs())).at(-1)?.dropped, 100 - heard.length);
});

test("a cancelled attempt: what it said before and after the abort is there", async () => {
  const run = await client.task("until-cancelled").enqueue();
  const lines = all(run.logs());
  for await (const { value } of run.stream()) {
    assert.equal(value, "before");
    await run.cancel("enough");
  }
  assert.deepEqual(messagesOf(await lines), ["waiting", "aborted"]);
});

test("a silent run has nothing to read; one that does not exist is named; words after the end are not stored", async () => {
  const silent = await client.task("silent").enqueue({ x: 1 });
  assert.deepEqual(await all(silent.logs()), []);
  assert.equal(await silent.progress(), undefined);
  await assert.rejects(() => all(client.get("silent", "nobody").logs()), /run silent\/nobody is not known/);
  await assert.rejects(() => client.get("silent", "nobody").progress(), /run silent\/nobody is not known/);
  const late = await client.task("late").enqueue();
  await late.result();
  await open("late");
  assert.deepEqual(await all(late.logs()), []);
});

test("reading ends by break, by a signal, and with an error when the client is closed", async () => {
  const other = await connect({ url: server.url });
  const run = await other.task("halves").enqueue({ name: "ends" });
  for await (const { value } of run.stream()) {
    assert.equal(value, "0 ");
    break;
  }
  const controller = new AbortController();
  const aborted = all(run.stream({ signal: controller.signal }));
  await waitFor(() => gates.has("ends"), 20_000, "the first half");
  controller.abort();
  assert.ok((await aborted).length <= 50);
  const reading = assert.rejects(() => all(run.stream()), /the client was closed/);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.close();
  await reading;
  await open("ends");
});

test("20,000 chunks through one run while 200 others complete", async () => {
  const run = await client.task("chunks").enqueue({ count: 20_000 });
  const reading = all(run.stream());
  const inputs = numbers(200).map((n) => ({ n }));
  assert.deepEqual(await client.task("silent").runMany(inputs), inputs);
  assert.deepEqual(valuesOf(await reading), numbers(20_000));
  assert.deepEqual(valuesOf(await all(run.stream())), numbers(20_000));
}, 60_000);

test("a slow reader of many megabytes loses nothing", async () => {
  const run = await client.task("bulk").enqueue({ megabytes: 15 });
  await run.result();
  const firsts: number[] = [];
  for await (const { value } of run.stream()) {
    if (firsts.push((value as Uint8Array)[0]!) % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(firsts, numbers(150));
});
