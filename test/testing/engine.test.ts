// What the engine does in a test worker: slots, limits, rates, batches, priorities, schedule timeouts and pauses, by a clock that the test moves.
import assert from "node:assert/strict";
import { Durable } from "../../decorators/durable.ts";
import type { DurableContext } from "../../src/domain/durable-context.ts";
import { OnFailure, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { inline, manualClock, testWorker } from "../../src/testing/mod.ts";
import { test } from "../support/harness.ts";

const start = Date.UTC(2030, 0, 1);

/** What executes until it is let go, and in which order it began. */
class Gates {
  readonly begun: string[] = [];
  readonly #gates = new Map<string, () => void>();

  pass(name: string): Promise<string> {
    this.begun.push(name);
    return new Promise((resolve) => this.#gates.set(name, () => resolve(name)));
  }
  open(...names: string[]): void {
    for (const name of names) this.#gates.get(name)!();
  }
}

@Worker({ name: "limited", slots: 2 })
class Limited {
  readonly gates = new Gates();
  readonly batches: (readonly number[])[] = [];
  readonly failures: string[] = [];

  @Task("gated")
  gated(name: string) {
    return this.gates.pass(name);
  }
  @Task("by-customer", { concurrency: { key: "input.customer", max: 1 } })
  byCustomer({ name }: { customer: string; name: string }) {
    return this.gates.pass(name);
  }
  @Task("newest", { concurrency: { max: 1, strategy: "cancel-in-progress" } })
  async newest(name: string, ctx: TaskContext) {
    this.gates.begun.push(name);
    await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)));
  }
  @Task("rated", { rateLimit: { key: "api", limit: 2, per: "1m" } })
  async rated(name: string) {
    this.gates.begun.push(name);
  }
  @Task("many", { batch: { size: 3, interval: "10s" } })
  async many(inputs: number[]) {
    this.batches.push(inputs);
    return inputs.map((n) => n * 2);
  }
  @Task("urgent", { scheduleTimeout: "5m" })
  urgent(name: string) {
    return this.gates.pass(name);
  }
  @Task("wide", { slots: 2 })
  wide(name: string) {
    return this.gates.pass(name);
  }
  @Task("breaks")
  async breaks() {
    throw new Error("no");
  }
  @OnFailure()
  async failed(_input: unknown, ctx: TaskContext) {
    this.failures.push(ctx.failedRun!.id);
  }
}

function make() {
  const worker = new Limited();
  const t = testWorker(worker, { clock: manualClock({ start, patience: "20ms" }) });
  const { gates } = worker;
  /** What began since it was asked last. */
  const began = async (): Promise<string[]> => {
    await t.clock.advance(0);
    return gates.begun.splice(0);
  };
  return { worker, t, gates, began };
}

test("test worker: no more executes than there are slots; the next begins when one is free, the most urgent first", async () => {
  const { t, gates, began } = make();
  await t.pause();
  for (const name of ["a", "b", "c"]) await t.enqueue("gated", name, { id: name });
  await t.enqueue("gated", "first", { id: "first", priority: 3 });
  await t.resume();
  assert.deepEqual(await began(), ["first", "a"]);
  const waits = t.runs().find(({ id }) => id === "b")!;
  assert.deepEqual([waits.state, waits.waiting?.for], ["queued", "a slot"]);
  gates.open("a");
  assert.deepEqual(await began(), ["b"]);
  gates.open("first", "b");
  assert.deepEqual(await began(), ["c"]);
  await t.enqueue("wide", "wide");
  assert.deepEqual(await began(), [], "it takes two slots");
  gates.open("c");
  assert.deepEqual(await began(), ["wide"]);
  gates.open("wide");
  await t.stop();
});

test("test worker: a concurrency key is executed once at a time, and strategies cancel what is too much", async () => {
  const { t, gates, began } = make();
  for (const [customer, name] of [
    ["x", "x1"],
    ["x", "x2"],
    ["y", "y1"],
  ])
    await t.enqueue("by-customer", { customer, name }, { id: name! });
  assert.deepEqual(await began(), ["x1", "y1"]);
  const waits = t.runs().find(({ id }) => id === "x2")!;
  assert.equal(waits.waiting?.because, '1 of 1 allowed runs with input.customer = "x" is executing');
  gates.open("x1");
  assert.deepEqual(await began(), ["x2"]);
  gates.open("x2", "y1");
  const old = await t.enqueue("newest", "old");
  assert.deepEqual(await began(), ["old"]);
  await t.enqueue("newest", "new");
  assert.deepEqual(await began(), ["new"]);
  assert.match((await old.status()).reason!, /cancel-in-progress/);
  await t.stop();
});

test("test worker: a rate lets so many start in each period, by the clock of the test", async () => {
  const { t, began } = make();
  for (const name of ["1", "2", "3", "4", "5"]) await t.enqueue("rated", name);
  assert.deepEqual(await began(), ["1", "2"]);
  assert.equal(t.clock.next, start + 60_000);
  await t.clock.advance("59s");
  assert.deepEqual(await began(), []);
  await t.clock.advance("1s");
  assert.deepEqual(await began(), ["3", "4"]);
  await t.clock.advance("1h");
  assert.deepEqual(await began(), ["5"]);
  await t.stop();
});

test("test worker: a batch is called when it is full, or when its interval is over", async () => {
  const { worker, t } = make();
  const full = await Promise.all([1, 2, 3].map((n) => t.enqueue("many", n)));
  assert.deepEqual(await Promise.all(full.map((run) => run.result())), [2, 4, 6]);
  const some = await Promise.all([4, 5].map((n) => t.enqueue("many", n)));
  await t.clock.advance("9s");
  assert.deepEqual(worker.batches, [[1, 2, 3]]);
  await t.clock.advance("1s");
  assert.deepEqual(await Promise.all(some.map((run) => run.result())), [8, 10]);
  assert.deepEqual(worker.batches, [
    [1, 2, 3],
    [4, 5],
  ]);
  await t.stop();
});

test("test worker: what waits for longer than its schedule timeout is cancelled; a pause does not count", async () => {
  const { t, gates, began } = make();
  for (const name of ["a", "b"]) await t.enqueue("gated", name);
  const late = await t.enqueue("urgent", "late");
  await t.clock.advance("4m");
  assert.equal((await late.status()).state, "queued");
  await t.clock.advance("1m");
  assert.match((await late.status()).reason!, /^schedule timeout/);
  gates.open("a", "b");
  await began();

  await t.pause({ task: "urgent" });
  const paused = await t.enqueue("urgent", "paused");
  await t.clock.advance("1h");
  assert.deepEqual(await began(), []);
  assert.equal((await paused.status()).waiting?.because, 'task "urgent" is paused');
  await t.resume({ task: "urgent" });
  assert.deepEqual(await began(), ["paused"]);
  gates.open("paused");
  await t.pause();
  await t.enqueue("gated", "c");
  assert.deepEqual(await began(), []);
  await t.resume();
  assert.deepEqual(await began(), ["c"]);
  gates.open("c");
  await assert.rejects(t.pause({ task: "nope" }), /has no task "nope"/);
  await t.stop();
});

test("inline: a durable task is refused, and a test worker runs it beside the others", async () => {
  @Worker(2)
  class Mixed {
    @Durable("flow")
    async flow(_input: unknown, _ctx: DurableContext) {}
    @Task("plain")
    async plain() {
      return 1;
    }
  }
  await using t = testWorker(Mixed, { clock: manualClock({ start }) });
  await assert.rejects(inline(Mixed).run("flow"), /task "flow" is durable: .*; use testWorker for it/);
  assert.equal(await t.run("flow"), undefined);
  assert.equal(await t.run("plain"), 1);
});

test("test worker: years pass in one step, and what fails after them is handled", async () => {
  const { worker, t } = make();
  const { id } = await t.enqueue("breaks", undefined, { delay: "365d" });
  const before = performance.now();
  await t.clock.advance("730d");
  assert.ok(performance.now() - before < 5_000);
  assert.deepEqual(worker.failures, [id]);
  await t.stop();
});
