import assert from "node:assert/strict";
import { PayloadTooLarge } from "../../../src/domain/errors.ts";
import { signal } from "../../../src/domain/signal.ts";
import { test } from "../../support/harness.ts";
import { everyCrash, World } from "./world.ts";

const Approve = signal("approve");
const day = 86_400_000;

test("a durable method ends with what its steps gave, each stored once", async () => {
  const calls: string[] = [];
  const world = new World({
    input: { name: "ada" },
    code: async (input, ctx) => {
      const a = await ctx.step("a", () => calls.push("a"));
      const [b, c] = await Promise.all([
        ctx.step("b", () => calls.push("b")),
        ctx.step("c", async () => calls.push("c")),
      ]);
      return [input.name, a, b, c];
    },
  });
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: ["ada", 1, 2, 3] });
  assert.deepEqual(calls, ["a", "b", "c"]);
  assert.equal(world.journal.appends, 2);
});

test("a run that waits is parked, and goes on from a journal alone", async () => {
  let begun = 0;
  const world = new World({
    code: async (_, ctx) => {
      begun += 1;
      await ctx.step("a", () => 1);
      await ctx.sleep(30 * day);
      const got = await ctx.race({ said: ctx.waitFor(Approve), late: ctx.sleep("7d") });
      return [got, ctx.now()];
    },
  });
  await world.settle();
  assert.equal(world.end?.kind, "parked");
  assert.deepEqual(world.parked?.waits, [{ kind: "timer", ordinal: 1, deadline: 1_000_000 + 30 * day }]);
  await world.advance(31 * day);
  assert.deepEqual(
    world.parked?.waits.map(({ kind }) => kind),
    ["signal", "timer"],
  );
  world.signal("approve", { ok: true });
  await world.settle();
  assert.deepEqual(world.end, {
    kind: "completed",
    output: [{ won: "said", value: { ok: true } }, 1_000_000 + 31 * day],
  });
  assert.equal(begun, 3);
});

class CardDeclined extends Error {
  override readonly name = "CardDeclined";
  readonly code: string;
  constructor(code: string) {
    super(`declined: ${code}`, { cause: new RangeError("bank") });
    this.code = code;
  }
}

test("a saga compensates the same whatever record its worker dies after", async () => {
  const saga = () =>
    new World({
      code: async (_, ctx) => {
        const undo: (() => Promise<unknown>)[] = [];
        try {
          await ctx.step("reserve", () => 1);
          undo.push(() => ctx.step("release", () => "released"));
          const got = await ctx.race({ paid: ctx.waitFor(Approve), late: ctx.sleep("3d") });
          if (got.won === "late") throw new Error("late");
          undo.push(() => ctx.step("refund", () => "refunded"));
          await ctx.step(
            "ship",
            () => {
              throw new CardDeclined("c7");
            },
            { retries: 0, errors: [CardDeclined] },
          );
          return "shipped";
        } catch (error) {
          const undone: unknown[] = [];
          for (const step of undo.reverse()) undone.push(await step());
          const declined = error instanceof CardDeclined && error.cause instanceof RangeError && error.code;
          return { undone, declined, message: (error as Error).message };
        }
      },
    });
  await everyCrash(saga, async (world) => {
    world.signal("approve", 1);
    await world.advance(1_000);
    assert.deepEqual(world.end, {
      kind: "completed",
      output: { undone: ["refunded", "released"], declined: "c7", message: "declined: c7" },
    });
  });
});

test("children are joined once all have ended, and one that fails ends a map", async () => {
  const made = (onError: "throw" | "settle", concurrency?: number) =>
    new World({
      child: (_, input: number) => {
        if (input === 3) throw new Error("three");
        return input * 2;
      },
      code: async (_, ctx) => {
        const task = ctx.tasks(class {}).double as never;
        const options = { onError, ...(concurrency && { concurrency }) };
        try {
          return await ctx.map(task, [1, 2, 3, 4, 5], options as never);
        } catch (error) {
          return `${(error as Error).name}: ${(error as Error).message}, with ${Object.keys(error as Error).sort()}`;
        }
      },
    });
  for (const lanes of [undefined, 2]) {
    const settled = made("settle", lanes);
    await everyCrash(
      () => made("settle", lanes),
      (world) => world.settle(),
    );
    await settled.settle();
    const results = (settled.end as { output: { ok: boolean; value: number }[] }).output;
    assert.deepEqual(
      results.map(({ ok, value }) => (ok ? value : "failed")),
      [2, 4, "failed", 8, 10],
    );
    const thrown = made("throw", lanes);
    await thrown.settle();
    const { output } = thrown.end as { output: string };
    assert.match(output, /^RunFailed: run double\/~7\.1\.\d+\.\d failed: Error: three, with _tag,attempts,error,key$/);
  }
});

test("restart begins anew with an empty journal, and keeps the signals that were not taken", async () => {
  const laps = () =>
    new World({
      input: { sum: 0, lap: 1 },
      code: async ({ sum, lap }, ctx) => {
        assert.equal(ctx.lap, lap);
        const added = (await ctx.waitFor(Approve)) as number;
        await ctx.step("note", () => null);
        if (lap === 5) return sum * 10 + added;
        return ctx.restart({ sum: sum * 10 + added, lap: lap + 1 });
      },
    });
  const records = await everyCrash(laps, async (world) => {
    for (let i = 1; i <= 7; i++) world.signal("approve", i);
    await world.settle();
    assert.deepEqual(world.end, { kind: "completed", output: 12_345 });
    assert.ok(world.journal.records.length <= 5, `${world.journal.records.length} records`);
  });
  assert.ok(records >= 10);
});

test("a cancel reaches the code at what it waits for, once, and lets it compensate", async () => {
  const cancelled = (isCaught: boolean) =>
    new World({
      code: async (_, ctx) => {
        try {
          await Promise.all([ctx.sleep("1d"), ctx.waitFor(Approve)]);
        } catch (error) {
          const undone = await ctx.step("undo", () => "undone");
          await ctx.sleep("1h");
          if (isCaught) return [undone, (error as Error).name];
          throw error;
        }
      },
    });
  const scenario = async (world: World) => {
    world.cancel("changed my mind");
    await world.advance(day);
  };
  await everyCrash(() => cancelled(true), scenario);
  const caught = cancelled(true);
  await caught.settle();
  await scenario(caught);
  assert.deepEqual(caught.end, { kind: "completed", output: ["undone", "RunCancelled"] });
  const uncaught = cancelled(false);
  await uncaught.settle();
  await scenario(uncaught);
  assert.deepEqual(uncaught.end, { kind: "cancelled", reason: "changed my mind" });
});

test("code that differs from the journal is dropped without a catch, and the run goes on with code that fits", async () => {
  const ended: string[] = [];
  const code = (name: string) => async (_: unknown, ctx: any) => {
    try {
      const a = await ctx.step(name, () => name);
      await ctx.sleep("1d");
      return a;
    } finally {
      ended.push(name);
    }
  };
  const world = new World({ code: code("old"), build: "old" });
  await world.settle();
  world.options = { code: code("new"), build: "new" };
  await world.advance(day);
  assert.match(world.parked!.blocked!.reason, /^op 0 was step old and is now step new; /);
  assert.deepEqual(world.parked!.blocked!.codes, ["new"]);
  assert.equal(typeof world.parked!.blocked!.at, "number");
  assert.equal(world.parked!.waits.length, 1);
  assert.deepEqual(ended, []);
  world.options = { code: code("old"), build: "old" };
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: "old" });
  assert.deepEqual(ended, ["old"]);
});

test("an await that natchet does not know of blocks the run, and names its line", async () => {
  for (const [place, code] of [
    ["before an op", (_: unknown, ctx: any) => hopTwice().then(() => ctx.step("a", () => 1))],
    ["before the end", (_: unknown, ctx: any) => ctx.step("a", () => 1).then(hopTwice)],
  ] as const) {
    const world = new World({ code });
    await world.settle();
    assert.match(world.parked!.blocked!.reason, /an await natchet does not know about/, place);
  }
  const world = new World({ code: () => new Promise(() => {}) });
  await world.advance(2_000);
  assert.match(world.parked!.blocked!.reason, /awaits only something natchet does not know about/);
});
const hopTwice = async () => {
  for (let i = 0; i < 2; i++) await new Promise((done) => setImmediate(done));
};

test("an attempt whose turn is another's stops silently, and nothing of it is stored", async () => {
  const world: World = new World({
    code: async (_, ctx) => {
      await ctx.step("a", () => 1);
      await ctx.step("b", async () => {
        if (world.turns === 1) world.crash(); // the leader thinks it lost; the zombie goes on
        return world.turns;
      });
      return ctx.step("c", () => 3);
    },
  });
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: 3 });
  assert.deepEqual(
    world.journal.deliveries.map(({ name, value }) => `${name}=${value}`),
    ["a=1", "b=2", "c=3"],
  );
});

test("what a lagging replica does not show of a journal is read before the code goes on", async () => {
  const world: World = new World({
    code: async (_, ctx) => {
      await ctx.waitFor(Approve);
      const a = await ctx.step("a", () => world.turns);
      if (world.turns === 2) world.crash();
      return [a, await ctx.step("b", () => world.turns)];
    },
  });
  world.journal.lags = true;
  await world.settle();
  world.signal("approve");
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: [2, 3] });
  assert.deepEqual(
    world.journal.deliveries.map(({ name, value }) => `${name}=${value}`),
    ["approve=", "a=2", "b=3"],
  );
});

test("a lost acknowledgement is found in the journal, and the record is not stored twice", async () => {
  const world = new World({ code: async (_, ctx) => [await ctx.step("a", () => 1), await ctx.step("b", () => 2)] });
  const { append } = world.journal;
  let hasLost = false;
  world.journal.append = async function (this: typeof world.journal, ...args: Parameters<typeof append>) {
    const seq = await append.apply(world.journal, args);
    if (hasLost) return seq;
    hasLost = true;
    return append.apply(world.journal, args); // sent again: meets its own first copy
  };
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: [1, 2] });
  assert.equal(world.journal.records.length, 2);
});

test("a journal that is full refuses, and the run goes on later", async () => {
  const world = new World({ code: async (_, ctx) => ctx.step("a", () => 1) });
  world.journal.refuses = Object.assign(new Error("maximum bytes exceeded"), { name: "QueueFull" });
  world.start();
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
  assert.deepEqual(world.ends, [{ kind: "later", ms: 10_000 }]);
  world.journal.refuses = undefined;
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: 1 });
});

test("a kept frame goes on without being executed again", async () => {
  let begun = 0;
  const world = new World({
    keepsFrames: true,
    code: async (_, ctx) => {
      begun += 1;
      for (let i = 0; i < 3; i++) await ctx.sleep("1h");
      return begun;
    },
  });
  await world.advance(day);
  assert.deepEqual(world.end, { kind: "completed", output: 1 });
  assert.equal(world.turns, 4);
});

test("a signal that was stored before a deadline wins, whenever the run is woken", async () => {
  const world = new World({ code: async (_, ctx) => ctx.waitFor(Approve, { timeout: "1d" }) });
  await world.settle();
  world.clock.time += day - 1;
  world.signal("approve", "in time");
  world.clock.time += day; // nobody was there
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: "in time" });
});

test("the results of many children go into the journal in parts", async () => {
  const many = () =>
    new World({
      child: (_, input: number) => "x".repeat(200) + input,
      code: async (_, ctx) => {
        const results = (await ctx.map(ctx.tasks(class {}).double as never, [...Array(200).keys()])) as string[];
        await ctx.step("a", () => 1);
        return [results.length, results[199]!.slice(-3)];
      },
    });
  const small = () => {
    const world = many();
    world.journal.largestMessage = 12_000;
    return world;
  };
  const records = await everyCrash(small, (world) => world.settle());
  assert.ok(records > 10);
  const world = small();
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: [200, "199"] });
});

test("code that opens other waits than those the run is parked on is found, though nothing of them is in the journal", async () => {
  const other: Record<string, (ctx: any) => Promise<unknown>> = {
    "a step before": async (ctx) => [await ctx.step("new", () => 1), await ctx.sleep("1d")],
    "a signal instead": (ctx) => ctx.waitFor(Approve),
    "a wait more": (ctx) => Promise.race([ctx.sleep("1d"), ctx.waitFor(Approve)]),
    "its end instead": async () => "ended",
  };
  for (const [what, code] of Object.entries(other)) {
    const world = new World({ code: (_, ctx) => ctx.sleep("1d"), build: "old" });
    await world.settle();
    world.options = { code: (_, ctx) => code(ctx), build: "new" };
    await world.advance(day);
    assert.equal(world.end?.kind, "parked", what);
    assert.match(world.parked?.blocked?.reason ?? "", /was sleep|ops were open/, what);
    world.options = { code: (_, ctx) => ctx.sleep("1d"), build: "old" };
    await world.settle();
    assert.deepEqual(world.end, { kind: "completed", output: undefined }, what);
  }
});

test("a restart that is not returned fails the run with what to write", async () => {
  const world = new World({ code: async (_, ctx) => void (ctx as { restart(): unknown }).restart() });
  await world.settle();
  assert.match(String((world.end as { error: unknown }).error), /write return ctx\.restart\(input\)/);
});

test("a restart with an input that no journal can hold fails the run, and not again and again", async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const cyclic = new World({ code: async (_, ctx) => ctx.restart(circle) });
  await cyclic.settle();
  assert.match(String((cyclic.end as { error: unknown }).error), /the input of ctx\.restart is not JSON/);
  const large = new World({ code: async (_, ctx) => ctx.restart("large") });
  const error = new PayloadTooLarge({ what: "its journal", bytes: 2, limit: 1 });
  large.journal.refuses = error;
  await large.settle();
  assert.deepEqual(large.end, { kind: "failed", error });
});
