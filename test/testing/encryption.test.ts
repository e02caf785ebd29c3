// The testing kit with encryption: the same code as production seals and opens, in memory.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  currentStep,
  Durable,
  type DurableContext,
  OnFailure,
  Step,
  signal,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { MemoryJournal } from "../../src/testing/memory-journal.ts";
import { everyCrash, manualClock, testWorker } from "../../src/testing/mod.ts";
import { LocalWorker, type TestWorker } from "../../src/testing/test-worker.ts";
import { test } from "../support/harness.ts";

const secret = "4111-1111";
const encryption = { current: "k1", keys: { k1: randomBytes(32) }, required: true };
const Approve = signal<{ card: string }>("approve");
const handled: unknown[] = [];

@Worker({ name: "shop", slots: 9 })
class Shop {
  @Durable("fulfil")
  async fulfil({ card }: { card: string }, ctx: DurableContext): Promise<any> {
    const charged = await this.charge(card);
    const settled = await ctx.map(ctx.tasks(Shop).tell, [card, `bad ${card}`].map(asInput), { onError: "settle" });
    const told = settled.map((one) => (one.ok ? one.value : String((one.error as Error).cause)));
    const refused = await this.refuse(card).catch((error: Error) => error.message);
    const approved = await ctx.waitFor(Approve, { timeout: "30d" });
    await ctx.sleep("2d");
    if (ctx.lap === 1) return ctx.restart({ card });
    return { card, charged, told, refused, approved };
  }
  @Step({ retries: { limit: 1, base: "1h" } })
  async charge(card: string) {
    if (currentStep().attempt === 1) throw new Error(`later ${card}`);
    return { charged: card };
  }
  @Step({ retries: 0 })
  async refuse(card: string) {
    throw new RangeError(`refused ${card}`);
  }
  @Task("tell", { plain: ["who"], retries: { limit: 1, base: 1 }, concurrency: { key: "input.who", max: 1 } })
  async tell({ card }: { card: string; who: string }, ctx: TaskContext) {
    if (card.startsWith("bad"))
      throw new Error(`cannot tell ${card} ${ctx.errors.map(({ message }) => message).join()}`);
    return { told: card };
  }
  @OnFailure()
  async failed({ card }: { card: string }, ctx: TaskContext) {
    handled.push([card, ctx.failedRun?.error.message]);
  }
}
const asInput = (card: string) => ({ card, who: "c1" });

/** A durable run with everything that stores something, to its end. */
async function scenario(t: TestWorker<ReturnType<typeof manualClock>>): Promise<unknown> {
  const run = await t.enqueue("fulfil", { card: secret });
  await t.clock.advance("2h");
  await run.send(Approve, { card: secret });
  await t.clock.advance("3d");
  await run.send(Approve, { card: secret });
  await t.clock.advance("9d");
  return run.result();
}

test("testWorker: with encryption a run ends as without, and log and journals hold nothing readable", async () => {
  const stored: Uint8Array[] = [];
  class HeardJournal extends MemoryJournal {
    override append(...[name, data, expect, replaces]: Parameters<MemoryJournal["append"]>) {
      stored.push(data);
      return super.append(name, data, expect, replaces);
    }
  }
  const clock = manualClock();
  const t = new LocalWorker(Shop, { clock, encryption }, { journal: new HeardJournal() });
  const result = await scenario(t as never);
  const bad = `cannot tell bad ${secret}`;
  assert.deepEqual(result, {
    ...{ card: secret, charged: { charged: secret }, refused: `refused ${secret}`, approved: { card: secret } },
    told: [{ told: secret }, `Error: ${bad} ${bad} `],
  });
  assert.ok(stored.length > 5);
  assert.deepEqual(
    stored.filter((data) => Buffer.from(data).includes(secret)),
    [],
  );
  assert.ok(stored.some((data) => Buffer.from(data).includes("charge"))); // the name of the step
  assert.deepEqual(handled[0], [`bad ${secret}`, `${bad} ${bad} `]);
  const told = t.runs().find(({ task, state }) => task === "tell" && state === "failed")!;
  assert.deepEqual(told.input, { card: `bad ${secret}`, who: "c1" });
  assert.deepEqual(
    [told.error?.message, ...told.attempts.map(({ error }) => error?.message)],
    [`${bad} ${bad} `, `${bad} `, `${bad} ${bad} `],
  );
  await Promise.all([t.stop(), clock.advance("1h")]);
}, 60_000);

test("everyCrash: encryption changes nothing about what survives", async () => {
  assert.ok((await everyCrash(Shop, scenario, { encryption })) > 10);
}, 120_000);

test("testWorker refuses keys that are promised, and keys of limits that nobody can evaluate", () => {
  const keys = async () => randomBytes(32);
  assert.throws(() => testWorker(Shop, { encryption: { current: "k1", keys } }), /must return keys, not promises/);
  @Worker()
  class Undeclared {
    @Task("undeclared", { concurrency: { key: "input.who", max: 1 } }) async undeclared(_: { who: string }) {}
  }
  assert.throws(() => testWorker(Undeclared, { encryption }), /declare the field plain/);
});
