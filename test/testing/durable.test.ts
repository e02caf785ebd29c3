// Durable methods in a test: by a clock that is moved, and over every crash.
import assert from "node:assert/strict";
import { Durable, type DurableContext, Step, signal, Task, Worker } from "../../src/mod.ts";
import { everyCrash, manualClock, testWorker } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

const Approve = signal("approve");
const validate = (): never => {
  throw new Error("the schema is broken");
};
const throwing = { "~standard": { version: 1, vendor: "test", validate } } as const;
let calls: string[] = [];

@Worker(3)
class Orders {
  @Durable("fulfil") async fulfil(id: string, ctx: DurableContext) {
    await this.reserve(id);
    try {
      const got = await ctx.race({ paid: ctx.waitFor(Approve), late: ctx.sleep("30d") });
      if (got.won === "late") throw new Error("not paid in 30 days");
      return await this.ship(id);
    } catch (error) {
      await this.release(id);
      throw error;
    }
  }
  @Step() async reserve(id: string) {
    calls.push(`reserve ${id}`);
  }
  @Step() async release(id: string) {
    calls.push(`release ${id}`);
  }
  @Step() async ship(id: string) {
    calls.push(`ship ${id}`);
    return { shipped: id };
  }
  @Task("double") async double(n: number) {
    return n * 2;
  }
  @Durable("fan") async fan(n: number, ctx: DurableContext) {
    const doubled = await ctx.map(ctx.tasks(Orders).double, [...Array(n).keys()], { concurrency: 2 });
    return doubled.reduce((a, b) => a + b, 0);
  }
  @Durable("forgetful") async forgetful(_: undefined, ctx: DurableContext) {
    void this.ship("x");
    await ctx.sleep(1);
    void this.ship("y");
    return "ended";
  }
  @Durable("unchecked", { output: throwing }) async unchecked() {
    return 1;
  }
  @Durable("changing") async changing(_: undefined, ctx: DurableContext) {
    changes += 1;
    await ctx.step(`step ${changes}`, () => 1);
    await ctx.sleep("1h");
  }
}
let changes = 0;

test("testWorker runs 30 days of a durable method in a moment", async () => {
  calls = [];
  await using t = testWorker(Orders, { clock: manualClock() });
  const paid = await t.enqueue("fulfil", "a");
  const late = await t.enqueue("fulfil", "b");
  await t.clock.advance("2d");
  assert.equal((await paid.status()).state, "waiting");
  await paid.send(Approve, undefined);
  await t.clock.advance("29d");
  assert.deepEqual(await paid.result(), { shipped: "a" });
  await assert.rejects(late.result(), /not paid in 30 days/);
  assert.deepEqual(calls, ["reserve a", "reserve b", "ship a", "release b"]);
});

test("testWorker joins children, a few at a time", async () => {
  await using t = testWorker(Orders, { clock: manualClock() });
  const run = await t.enqueue("fan", 10);
  await t.clock.advance("1s");
  assert.equal(await run.result(), 90);
});

test("a run of a test worker that is cancelled undoes what it did", async () => {
  calls = [];
  await using t = testWorker(Orders, { clock: manualClock() });
  const run = await t.enqueue("fulfil", "c");
  await t.clock.advance("1d");
  assert.equal(await run.cancel("changed my mind"), "stopping");
  await t.clock.advance("1s");
  await assert.rejects(run.result(), { name: "RunCancelled", reason: "changed my mind" });
  assert.deepEqual(calls, ["reserve c", "release c"]);
});

test("a durable run fails if the schema of its output throws", async () => {
  await using t = testWorker(Orders, { clock: manualClock() });
  await assert.rejects(t.run("unchecked"), /the schema is broken/);
});

test("everyCrash kills the worker after each record, and the scenario ends the same", async () => {
  const executions = await everyCrash(Orders, async (t) => {
    const run = await t.enqueue("fulfil", "d");
    const fan = await t.enqueue("fan", 4);
    await t.clock.advance("1d");
    await run.send(Approve, { by: "ada" });
    await t.clock.advance("1d");
    return [await run.result(), await fan.result()];
  });
  assert.ok(executions >= 5, `${executions} executions`);
});

test("everyCrash names steps that nobody awaited, and code that does not repeat itself", async () => {
  const forgetful = everyCrash(Orders, async (t) => {
    const run = await t.enqueue("forgetful");
    await t.clock.advance("1s");
    return run.result();
  });
  await assert.rejects(forgetful, /ended over what it did not await: forgetful\/.*: step ship; write await/);
  const changing = everyCrash(Orders, async (t) => {
    await t.enqueue("changing");
    await t.clock.advance("2h");
  });
  await assert.rejects(changing, /changing does not repeat itself: .*op 0 was step step \d and is now step step \d/);
});
