// Running again what has ended, and what children know of their parents.
import assert from "node:assert/strict";
import {
  connect,
  type Natchet,
  NotReplayable,
  type Running,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";

let isBroken = true;
let client: Natchet;
const workersOf = new Map<string, string>();

@Worker({ name: "shop", slots: 5 })
class Shop {
  @Task("charge")
  async charge({ amount }: { amount: number }) {
    if (isBroken) throw new Error("the bank is away");
    return amount;
  }
  @Task("order")
  async order(_: unknown, ctx: TaskContext) {
    workersOf.set(ctx.runId, ctx.worker);
    await client.task("ship").run({}, { metadata: { step: "ship" } });
    const [one] = await client.task("ship").enqueueMany([{}]);
    return one!.id;
  }
  @Task("ship", { sticky: "hard" })
  async ship(_: unknown, ctx: TaskContext) {
    workersOf.set(ctx.runId, ctx.worker);
    return ctx.metadata;
  }
}
@Worker({ name: "other", slots: 50 })
class Other {
  @Task("ship", { sticky: "hard" })
  async ship(_: unknown, ctx: TaskContext) {
    workersOf.set(ctx.runId, ctx.worker);
    return ctx.metadata;
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let running: Running;
beforeAll(async () => {
  server = await testServer();
  running = await start([Shop, Other], { url: server.url, log: "silent", signals: false });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await running.stop();
  await server.stop();
});

test("one run, or all that match, run again; the first keep their history", async () => {
  isBroken = true;
  const options = { priority: 3, metadata: { customer: "42" } };
  const runs = await client.task("charge").enqueueMany([{ amount: 1 }, { amount: 2 }, { amount: 3 }], options);
  await Promise.allSettled(runs.map((run) => run.result()));
  isBroken = false;
  const replayed = await runs[0]!.replay();
  assert.equal(await replayed.result(), 1);
  const info = await replayed.status();
  assert.deepEqual(info.metadata, { customer: "42", "natchet.replayOf": runs[0]!.id });
  assert.equal(info.priority, 3);
  const first = await runs[0]!.status();
  assert.equal(first.state, "failed");
  assert.equal(first.attempts.length, 1);
  const all = await client.replay({ task: "charge", metadata: { customer: "42" } });
  assert.deepEqual((await Promise.all(all.map((run) => run.result()))).sort(), [1, 2, 3]);
  await assert.rejects(client.replay({}), /an empty filter/);
  await assert.rejects(client.replay({ task: "charge", state: ["queued"] }), /a run that is queued has not ended/);
  const waiting = await client.task("charge").enqueue({ amount: 4 }, { delay: "1h" });
  await assert.rejects(waiting.replay(), NotReplayable);
});

test("a replay says again what the caller of the first run said, however that ended", async () => {
  isBroken = false;
  const eu = { label: "region", value: "eu", comparator: "=", required: false, weight: 5 };
  const charge = client.task("charge");
  const options = { affinity: { region: { value: "eu", weight: 5 } }, scheduleTimeout: "1h", delay: 1 } as const;
  const run = await charge.enqueue({ amount: 9 }, options);
  await run.result();
  assert.deepEqual((await run.status()).terms, { affinity: [eu], scheduleTimeoutMs: 3_600_000 });
  const again = await run.replay({ scheduleTimeout: null });
  assert.equal(await again.result(), 9);
  assert.deepEqual((await again.status()).terms, { affinity: [eu], scheduleTimeoutMs: null });
  const far = await charge.enqueue({ amount: 1 }, { affinity: { gpu: { value: "a", required: true } }, delay: "1h" });
  await far.cancel();
  await far.result().catch(() => {});
  const waiting = await far.replay();
  assert.equal((await waiting.status()).waiting?.for, "a worker");
  await waiting.cancel();
});

test("what a task enqueues has its metadata, knows its parent, and stays on its worker if it is sticky", async () => {
  const order = await client.task("order").enqueue({}, { metadata: { tenant: "a", step: "order" } });
  const child = client.get<Record<string, string>>("ship", (await order.result()) as string);
  assert.deepEqual(await child.result(), { tenant: "a", step: "order", "natchet.parent": order.key });
  const { runs } = await client.list({ metadata: { "natchet.parent": order.key } });
  assert.deepEqual(runs.map((run) => run.metadata["step"]).sort(), ["order", "ship"]);
  for (const { id } of runs) assert.equal(workersOf.get(id), workersOf.get(order.id));
  const alone = await client.task("ship").run({});
  assert.deepEqual(alone, {});
});
