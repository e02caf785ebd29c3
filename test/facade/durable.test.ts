// Durable methods through the public API, on a real server.
import assert from "node:assert/strict";
import { z } from "zod";
import {
  connect,
  currentRun,
  currentStep,
  Durable,
  type DurableContext,
  type Natchet,
  type Running,
  Step,
  signal,
  start,
  Task,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const calls: string[] = [];
const ids = new Set<string>();

class CardDeclined extends Error {
  override readonly name = "CardDeclined";
  readonly code = "c7";
}

@Worker({ name: "orders", slots: 4 })
class Orders {
  @Durable("fulfil") async fulfil(order: { id: string }, ctx: DurableContext) {
    const reserved = await this.reserve(order.id);
    await ctx.sleep(200);
    try {
      await this.ship(order.id);
    } catch (error) {
      const why = error instanceof CardDeclined ? error.code : String(error);
      return { reserved, shipped: false, why, run: currentRun().runId };
    }
    return { reserved, shipped: true };
  }
  @Step() async reserve(id: string) {
    calls.push(`reserve ${id}`);
    ids.add(currentStep().id);
    return { of: id };
  }
  @Step({ retries: 0, errors: [CardDeclined] }) async ship(id: string) {
    calls.push(`ship ${id}`);
    if (id === "bad") throw new CardDeclined("no");
  }
  @Task("double") async double(n: number) {
    if (n < 0) throw new RangeError("negative");
    return n * 2;
  }
  @Durable("fan") async fan(n: number, ctx: DurableContext) {
    const doubled = await ctx.map(ctx.tasks(Orders).double, [...Array(n).keys()], { concurrency: 3 });
    return doubled.reduce((a, b) => a + b, 0);
  }
  @Durable("tree") async tree(depth: number, ctx: DurableContext): Promise<number> {
    if (depth === 0) return 1;
    const below = await ctx.map(ctx.tasks(Orders).tree, [depth - 1, depth - 1]);
    return below.reduce((a, b) => a + b, 0);
  }
  @Durable("careful") async careful(_: undefined, ctx: DurableContext) {
    try {
      return await ctx.tasks(Orders).double.run(-1);
    } catch (error) {
      return `${(error as Error).name}: ${((error as Error).cause as Error).message}`;
    }
  }
  @Durable("laps") async laps(n: number, ctx: DurableContext): Promise<any> {
    await ctx.step("note", () => ctx.lap);
    return n === 20 ? ctx.lap : ctx.restart(n + 1);
  }
}

const Approve = signal("approve", { data: z.object({ ok: z.boolean() }) });
const Nudge = signal("nudge");
const Paid = signal<{ cents: number }>("paid");
const undone: string[] = [];

@Worker({ name: "approvals", slots: 2 })
class Approvals {
  @Durable("publish") async publish(post: string, ctx: DurableContext) {
    const decision = await ctx.waitFor(Approve, { timeout: "7d" });
    return decision?.ok === true ? `${post} is published` : "not approved";
  }
  @Durable("trial") async trial(_: undefined, ctx: DurableContext) {
    const nudged = await ctx.waitFor(Nudge);
    const paid = await ctx.waitFor(Paid, { timeout: "14d" });
    return { nudged, paid, again: (await ctx.waitFor(Paid, { timeout: "10ms" })) === undefined };
  }
  @Durable("numbers") async numbers(n: number, ctx: DurableContext): Promise<any> {
    const { data } = { data: (await ctx.waitFor(signal("number") as never)) as number };
    if (data !== n) throw new Error(`${data} came instead of ${n}`);
    return n === 40 ? n : ctx.restart(n + 1);
  }
  @Durable("undoes") async undoes(id: string, ctx: DurableContext) {
    try {
      await ctx.sleep("1d");
    } catch (error) {
      await this.undo(id);
      throw error;
    }
  }
  @Durable("busy") async busy(_: undefined, ctx: DurableContext) {
    const step = ctx.step(
      "slow",
      ({ signal: stopped }) => new Promise<void>((done) => stopped.addEventListener("abort", () => done())),
    );
    return (await ctx.race({ done: step, said: ctx.waitFor(Approve) })).won;
  }
  @Step() async undo(id: string) {
    undone.push(id);
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let running: Running;
beforeAll(async () => {
  server = await testServer();
  running = await start([Orders, Approvals], { url: server.url, log: "silent", signals: false });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

test("a durable method runs to its end over a wait, each step once", async () => {
  const run = await client.tasks(Orders).fulfil.enqueue({ id: "42" });
  await waitFor(async () => (await run.status()).state === "waiting", 10_000, "the run to wait");
  assert.deepEqual(await run.result(), { reserved: { of: "42" }, shipped: true });
  assert.deepEqual(
    calls.filter((call) => call.endsWith(" 42")),
    ["reserve 42", "ship 42"],
  );
  const { attempts } = await run.status();
  assert.ok(attempts.length >= 1);
});

test("an error of a step comes back as an instance of its class", async () => {
  const run = await client.tasks(Orders).fulfil.enqueue({ id: "bad" });
  assert.deepEqual(await run.result(), { reserved: { of: "bad" }, shipped: false, why: "c7", run: run.id });
  assert.equal(ids.size, 2);
  for (const id of ids) assert.match(id, /^fulfil-[a-z0-9]+-\d+(-\d+)?\.1\.0$/);
});

test("children are joined, in order and with bounded parallelism", async () => {
  assert.equal(await client.tasks(Orders).fan.run(20), 380);
});

test("a tree of durable children ends on few slots", async () => {
  assert.equal(await client.tasks(Orders).tree.run(4), 16);
});

test("the failure of a child arrives as RunFailed with its error", async () => {
  assert.equal(await client.tasks(Orders).careful.run(undefined), "RunFailed: negative");
});

test("restart begins anew, and the journal does not grow", async () => {
  assert.equal(await client.tasks(Orders).laps.run(1), 20);
});

test("runs go on after a restart of the worker, with the results that they had", async () => {
  const runs = await Promise.all(
    Array.from({ length: 5 }, (_, i) => client.tasks(Orders).fulfil.enqueue({ id: `r${i}` })),
  );
  await waitFor(async () => calls.filter((call) => /reserve r\d/.test(call)).length === 5, 10_000, "five steps");
  await running.stop();
  running = await start([Orders, Approvals], { url: server.url, log: "silent", signals: false });
  for (const run of runs)
    assert.deepEqual(await run.result(), { reserved: { of: run.id && `r${runs.indexOf(run)}` }, shipped: true });
  assert.equal(calls.filter((call) => /reserve r\d/.test(call)).length, 5);
});

test("a signal wakes the run that waits for it, and its data is checked before it is sent", async () => {
  const run = await client.tasks(Approvals).publish.enqueue("news");
  await waitFor(async () => (await run.status()).waiting?.for === "a signal", 10_000, "the run to wait");
  await assert.rejects(run.send(Approve, { ok: "yes" } as never), { name: "InvalidData" });
  await run.send(Approve, { ok: true });
  assert.equal(await run.result(), "news is published");
  await assert.rejects(run.send(Approve, { ok: true }), { name: "RunFinished" });
});

test("a signal without data arrives as true, so that it differs from none; one with a type alone needs no schema", async () => {
  const run = await client.tasks(Approvals).trial.enqueue();
  await waitFor(async () => (await run.status()).state === "waiting", 10_000, "the run to wait");
  await run.send(Nudge);
  await run.send(Paid, { cents: 500 });
  assert.deepEqual(await run.result(), { nudged: true, paid: { cents: 500 }, again: true });
});

test("numbered signals come in order over restarts, none twice", async () => {
  const run = await client.tasks(Approvals).numbers.enqueue(1);
  await waitFor(async () => (await run.status()).state === "waiting", 10_000, "the run to wait");
  for (let i = 1; i <= 40; i++) await run.send(signal("number") as never, i as never, { id: `n${i}` });
  assert.equal(await run.result(), 40);
});

test("a waiting durable run cannot be moved to another time", async () => {
  const run = await client.tasks(Approvals).publish.enqueue("later");
  await waitFor(async () => (await run.status()).state === "waiting", 10_000, "the run to wait");
  await assert.rejects(run.reschedule({ delay: "1h" }), { name: "NotReschedulable" });
  await run.cancel("enough", { kill: true });
});

test("a waiting run that is cancelled undoes what it did, and ends as cancelled", async () => {
  const run = await client.tasks(Approvals).undoes.enqueue("x");
  await waitFor(async () => (await run.status()).state === "waiting", 10_000, "the run to wait");
  assert.equal(await run.cancel("no more"), "stopping");
  await assert.rejects(run.result(), { name: "RunCancelled", reason: "no more" });
  assert.deepEqual(undone, ["x"]);
});

test("a signal reaches a run while its step executes", async () => {
  const run = await client.tasks(Approvals).busy.enqueue(undefined);
  await waitFor(async () => (await run.status()).state === "running", 10_000, "the step");
  await run.send(Approve, { ok: true });
  assert.equal(await run.result(), "said");
});
