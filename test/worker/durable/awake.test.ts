// What reaches a run whose steps execute: it is not parked, so nobody offers it anything.
import assert from "node:assert/strict";
import type { DurableContext } from "../../../src/domain/durable-context.ts";
import { signal } from "../../../src/domain/signal.ts";
import { test } from "../../support/harness.ts";
import { World } from "./world.ts";

const Approve = signal("approve");
const reasons: string[] = [];
class Family {
  async twice(n: number) {
    return n;
  }
}

/** A step that ends only when it is told to. */
const endless = ({ signal: stopped }: { readonly signal: AbortSignal }) =>
  new Promise((_, reject) => {
    stopped.addEventListener("abort", () => {
      reasons.push(String(stopped.reason));
      reject(stopped.reason);
    });
  });

test("a timer wins over a step that still executes, which is aborted", async () => {
  const world = new World({
    code: async (_, ctx) => {
      const got = await ctx.race({ done: ctx.step("endless", endless, { timeout: "1d" }), late: ctx.sleep("5s") });
      return [got.won, await ctx.step("after", () => 1)];
    },
  });
  await world.advance(10_000);
  assert.deepEqual(world.end, { kind: "completed", output: ["late", 1] });
  assert.deepEqual(reasons, ["AbortError: nobody waits for it any more"]);
});

const raced = (timeout?: "5s") =>
  new World({
    readsSignals: true,
    code: async (_, ctx) => {
      const step = ctx.step("endless", endless, { timeout: "1d" });
      const got = await ctx.race({
        done: step,
        said: ctx.waitFor(Approve),
        ...(timeout && { late: ctx.sleep(timeout) }),
      } as never);
      return got;
    },
  });

test("a signal reaches a run while its step executes, also one that was there before", async () => {
  const later = raced();
  await later.settle();
  later.signal("approve", 1);
  await later.advance(1_000);
  assert.deepEqual(later.end, { kind: "completed", output: { won: "said", value: 1 } });
  const before = raced();
  before.signal("approve", 2);
  await before.settle();
  assert.deepEqual(before.end, { kind: "completed", output: { won: "said", value: 2 } });
});

test("beside a signal a timer waits until it is known that none came before its deadline", async () => {
  const none = raced("5s");
  await none.advance(5_000);
  assert.equal(none.end, undefined);
  await none.advance(1_000);
  assert.deepEqual(none.end, { kind: "completed", output: { won: "late", value: undefined } });
  const unheard = raced("5s");
  await unheard.settle();
  unheard.onSignal = () => {}; // the word of it is lost
  unheard.clock.time += 4_999;
  unheard.signal("approve", "in time");
  await unheard.advance(10_000);
  assert.deepEqual(unheard.end, { kind: "completed", output: { won: "said", value: "in time" } });
});

test("in a later lap signals are looked for as in the first one", async () => {
  const world = new World({
    ...{ readsSignals: true, input: 1 },
    code: async (lap, ctx) => {
      const ways = { done: ctx.step("endless", endless, { timeout: "1d" }), said: ctx.waitFor(Approve) };
      if (lap === 2) return ctx.race({ ...ways, late: ctx.sleep("5s") });
      await ctx.race(ways);
      return ctx.restart(2);
    },
  });
  world.signal("approve", "to the first lap");
  await world.settle();
  world.onSignal = () => {}; // the word of the next one is lost
  world.clock.time += 4_999;
  world.signal("approve", "in time");
  await world.advance(10_000);
  assert.deepEqual(world.end, { kind: "completed", output: { won: "said", value: "in time" } });
});

const mapped = (code?: (ctx: DurableContext) => Promise<unknown>) =>
  new World({
    tellsChildren: true,
    child: (_, n) => n,
    code: async (_, ctx) => (code ?? ((one) => one.map(one.tasks(Family).twice, [1, 2])))(ctx),
  });
const done = (value: number, sequence: number) => ({ result: { ok: true, value }, sequence, time: 1_000_005 }) as const;

test("a run stays awake for children that complete within 20 ms, and gets their results in their order", async () => {
  const world = mapped();
  await world.settle();
  world.tell.get(0)!(1, done(4, 12));
  await world.settle();
  assert.deepEqual(world.ends, []);
  world.tell.get(0)!(0, done(2, 11));
  await world.settle();
  assert.deepEqual(world.ends, [{ kind: "completed", output: [2, 4] }]);
  const [{ sequence, time } = { sequence: 0, time: 0 }] = world.journal.deliveries;
  assert.deepEqual([sequence, time, world.quick.get("twice")], [12, 1_000_005, true]);
});

test("a run is parked after 20 ms, and next time at once", async () => {
  const world = mapped(async (ctx) => {
    const { twice } = ctx.tasks(Family);
    return [await ctx.map(twice, [1]), await ctx.map(twice, [2]), await ctx.map(twice, [3])];
  });
  await world.settle();
  await world.advance(19);
  assert.equal(world.turns, 1);
  await world.advance(2);
  assert.deepEqual(world.end, { kind: "completed", output: [[1], [2], [3]] });
  assert.deepEqual([world.tell.size, world.quick.get("twice")], [0, false], "the others were not watched");
});

test("what is not a completed child, or stands beside another wait, parks the run at once; a wish to cancel reaches it", async () => {
  const failed = mapped();
  await failed.settle();
  failed.tell.get(0)!(0, undefined);
  await failed.settle();
  assert.deepEqual(
    failed.ends.map(({ kind }) => kind),
    ["parked", "completed"],
  );
  const beside = mapped((ctx) => ctx.race({ child: ctx.tasks(Family).twice.run(1), said: ctx.waitFor(Approve) }));
  await beside.settle();
  assert.equal(beside.ends[0]!.kind, "parked");
  const cancelled = mapped();
  await cancelled.settle();
  cancelled.turn!.cancel("enough");
  await cancelled.settle();
  assert.deepEqual(cancelled.ends, [{ kind: "cancelled", reason: "enough" }]);
});
