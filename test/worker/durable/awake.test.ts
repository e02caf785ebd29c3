// What reaches a run whose steps execute: it is not parked, so nobody offers it anything.
import assert from "node:assert/strict";
import { signal } from "../../../src/domain/signal.ts";
import { test } from "../../support/harness.ts";
import { World } from "./world.ts";

const Approve = signal("approve");
const reasons: string[] = [];

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
