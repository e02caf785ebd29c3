import assert from "node:assert/strict";
import { DecryptionFailed } from "../../../src/domain/errors.ts";
import { signal } from "../../../src/domain/signal.ts";
import { test } from "../../support/harness.ts";
import { everyCrash, World } from "./world.ts";

const Approve = signal("approve");
const day = 86_400_000;

test("a run that cannot be decrypted is parked until it is tried again, each time later, and goes on with what it had", async () => {
  const world = new World({ code: async (_, ctx) => [await ctx.step("a", () => 1), await ctx.waitFor(Approve)] });
  await world.settle();
  const { journal, clock } = world;
  const lacking = new DecryptionFailed({ run: "flow/one", keyId: "k1", reason: "there is no key of that id" });
  journal.read = () => Promise.reject(lacking);
  world.signal("approve", 2);
  await world.settle();
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const { waits, blocked } = world.parked!;
    assert.deepEqual([waits.length, blocked?.reason, blocked?.codes], [1, lacking.message, []]);
    pauses.push(blocked!.again! - clock.now());
    clock.time = blocked!.again!;
    await world.settle();
  }
  assert.deepEqual(pauses.slice(0, 3), [5_000, 10_000, 20_000]);
  assert.equal(pauses.at(-1), 300_000);
  Reflect.deleteProperty(journal, "read");
  clock.time = world.parked!.blocked!.again!;
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: [1, 2] });
});

test("a run whose worker is lost between the last result of a lap and its restart goes on with the next lap", async () => {
  const make = () =>
    new World({
      input: 1,
      code: async (n: number, ctx) => {
        await ctx.step("a", () => n);
        await ctx.sleep("2d");
        return n === 3 ? n : ctx.restart(n + 1);
      },
    });
  const records = await everyCrash(make, (world) => world.advance(7 * day));
  assert.equal(records, 8);
});

test("ctx.race blocks a run that gives it a wait which lost an earlier race, and not one that has ended", async () => {
  for (const timeout of [{}, { timeout: "9d" as const }]) {
    const world = new World({
      code: async (_, ctx) => {
        const over = ctx.sleep("30d");
        const approved = ctx.waitFor(Approve, timeout);
        await ctx.race({ soon: ctx.sleep("1d"), approved });
        await ctx.race({ over, approved });
      },
    });
    await world.settle();
    await world.advance(day);
    assert.match(
      world.parked!.blocked!.reason,
      /^ctx\.race was given "approved", which lost an earlier race and was closed/,
    );
  }
  const world = new World({
    code: async (_, ctx) => {
      const one = ctx.step("one", () => 1);
      const both = [await ctx.race({ one }), await ctx.race({ one, late: ctx.sleep("1d") })];
      const inner = ctx.race({ two: ctx.step("two", () => 2) });
      return [...both, await ctx.race({ inner }), await ctx.race({ inner })].map(({ won }) => won);
    },
  });
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: ["one", "one", "inner", "inner"] });
});
