import assert from "node:assert/strict";
import { test } from "../../support/harness.ts";
import { World } from "./world.ts";

test("a cancel while a step executes aborts its signal, and reaches the code where it ends", async () => {
  const world: World = new World({
    code: async (_, ctx) => {
      try {
        await ctx.step("long", ({ signal: stopped }) => {
          queueMicrotask(() => world.turn!.cancel("stop it"));
          return new Promise((_, reject) => stopped.addEventListener("abort", () => reject(new Error("cut"))));
        });
      } catch (error) {
        return [await ctx.step("undo", () => "undone"), String(error)];
      }
    },
  });
  await world.settle();
  assert.deepEqual(world.end, {
    kind: "completed",
    output: ["undone", "RunCancelled: run flow/one was cancelled: stop it"],
  });
});

test("a step that waits durably or calls a step is not tried again: it would only do the same", async () => {
  let tries = 0;
  const world = new World({
    code: async (_, ctx) => {
      const said: string[] = [];
      for (const wrong of [() => ctx.sleep("1h"), () => ctx.step("inner", () => 1)])
        await ctx
          .step("outer", () => {
            tries += 1;
            return wrong();
          })
          .catch((error) => said.push(`${error instanceof TypeError} ${error.message}`));
      return said;
    },
  });
  await world.settle();
  assert.deepEqual(world.end, {
    kind: "completed",
    output: [
      "true a step cannot wait durably; wait in the durable method, and pass the step what came",
      'true step "inner" was called inside a step, and steps do not nest; call the code itself',
    ],
  });
  assert.equal(tries, 2);
});

test("a step is tried again in place after a short pause, and parks for a long one", async () => {
  let tries = 0;
  const world = new World({
    code: (_, ctx) =>
      ctx.step(
        "fragile",
        ({ attempt, id }) => {
          tries += 1;
          assert.equal(attempt, tries);
          if (tries < 4) throw new Error(`no ${tries}`);
          return [tries, id];
        },
        { retries: { limit: 5, base: "20s", factor: 2, max: "10m" } },
      ),
  });
  await world.settle();
  assert.equal(world.end, undefined); // waits in place for 20 s
  await world.advance(20_000);
  assert.deepEqual(world.parked?.waits, [{ kind: "timer", ordinal: 0, deadline: 1_000_000 + 60_000 }]);
  await world.advance(500_000);
  assert.deepEqual(world.end, { kind: "completed", output: [4, "flow-x-7.1.0"] });
});

test("a step that takes longer than its timeout is aborted, and its error says so", async () => {
  const world = new World({
    code: (_, ctx) => ctx.step("slow", () => new Promise(() => {}), { timeout: "5s", retries: 0 }),
  });
  await world.advance(10_000);
  const { error } = world.end as { error: Error };
  assert.equal(`${error}`, "TimeoutError: step slow took longer than its timeout of 5s");
});

test("a step that was lost ten times is given up, and its catch may compensate", async () => {
  let begun = 0;
  const world = new World({
    code: async (_, ctx) => {
      try {
        await ctx.step("fine", () => 1);
        return await ctx.step("deadly", () => {
          begun += 1;
          setImmediate(() => world.crash());
          return new Promise(() => {});
        });
      } catch (error) {
        return await ctx.step("undo", () => (error as Error).name);
      }
    },
  });
  await world.settle();
  assert.deepEqual(world.end, { kind: "completed", output: "StepLost" });
  assert.equal(begun, 10);
});

test("a worker that drains ends the step that executes, begins no other, and gives the run back", async () => {
  const begun: string[] = [];
  const world: World = new World({
    code: async (_, ctx) => {
      await ctx.step("first", async () => {
        begun.push("first");
        queueMicrotask(() => world.turn!.leave());
        return 1;
      });
      return ctx.step("second", async () => begun.push("second"));
    },
  });
  await world.settle();
  assert.deepEqual(
    world.ends.map(({ kind }) => kind),
    ["returned", "completed"],
  );
  assert.deepEqual(begun, ["first", "second"]);
});
