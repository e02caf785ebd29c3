// Encryption of durable runs: whatever their journals, signals and children hold is a ciphertext for servers and engines, survives its workers
// and a change of keys, and waits for a key that is missing.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  Durable,
  type DurableContext,
  type EncryptionOptions,
  type Natchet,
  OnFailure,
  RunCancelled,
  type RunFailed,
  type RunInfo,
  type Running,
  Step,
  signal,
  start,
  Task,
  type TaskContext,
  type TimelineEntry,
  Worker,
} from "../../src/mod.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { foundIn, overhear, streamsOf } from "../support/found-in.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { openSealedScene, type SealedScene } from "./sealed-scene.ts";

const secret = "4111-1111-1111-1111";
const keys = { old: randomBytes(32), new: randomBytes(32) };
const encryption: EncryptionOptions = { current: "old", keys: { old: keys.old } };

const Approve = signal<{ card: string }>("approve");
const Stop = signal("stop");
const executing = Promise.withResolvers<void>();
let handled: unknown;
let undone: unknown;

interface Order {
  readonly card: string;
  readonly how?: "fail" | "undo";
}

@Worker({ name: "shop", slots: 20 })
class Shop {
  #charges = 0;

  @Durable("fulfil")
  async fulfil({ card, how }: Order, ctx: DurableContext): Promise<any> {
    ctx.log.info(`fulfilling ${card}`, { card });
    const charged = await this.charge({ card });
    const child = { card, customerId: "c1" };
    const settled = await ctx.map(ctx.tasks(Shop).tell, [child, { ...child, isBad: true }], { onError: "settle" });
    const told = settled.map((one) => (one.ok ? one.value : (one.error as RunFailed).error.message));
    await ctx.tasks(Shop).note.enqueue({ card });
    const refused = await this.refuse(card).catch((error: Error) => error.message);
    const { card: approved } = await ctx.waitFor(Approve);
    if (how === "fail") throw new TypeError(`no stock for ${card}`);
    try {
      const way = await ctx.race({ stopped: ctx.waitFor(Stop), slept: ctx.sleep("1d") });
      return ctx.lap === 1 ? ctx.restart({ card }) : { card, charged, told, refused, approved, won: way.won };
    } catch (error) {
      if (error instanceof RunCancelled) await this.undo(card);
      throw error;
    }
  }
  @Durable("busy")
  async busy({ card }: Order, ctx: DurableContext): Promise<any> {
    const slow = ctx.step("slow", async ({ signal: stopped }) => {
      executing.resolve();
      await new Promise<void>((done) => stopped.addEventListener("abort", () => done()));
    });
    const { won, value } = await ctx.race({ slow, said: ctx.waitFor(Approve) });
    return { card, won, value };
  }
  @Step({ retries: { limit: 1, base: 1 } })
  async charge({ card }: { card: string }) {
    this.#charges += 1;
    if (this.#charges === 1) throw new Error(`not yet for ${card}`);
    return { charged: card };
  }
  @Step({ retries: 0 })
  async refuse(card: string) {
    throw Object.assign(new RangeError(`refused ${card}`), { card });
  }
  @Step()
  async undo(card: string) {
    undone = card;
  }
  @Task("tell", { retries: 0, plain: ["customerId"], concurrency: { key: "input.customerId", max: 5 } })
  async tell({ card, isBad }: { card: string; isBad?: boolean; customerId?: string }, ctx: TaskContext) {
    ctx.log.warn(`telling ${card}`);
    if (isBad === true) throw new Error(`cannot tell ${card}`);
    return { told: card };
  }
  @Task("note")
  async note({ card }: { card: string }) {
    return { noted: card };
  }
  @OnFailure()
  async failed({ card }: Order, ctx: TaskContext) {
    if (ctx.failedRun?.task === "fulfil") handled = [card, ctx.failedRun.error.message];
  }
}

const subjects = new Subjects("sealed");
const both: EncryptionOptions = { ...encryption, current: "new", keys };
let scene: SealedScene;
let client: Natchet;
let worker: Running;

const working = (options: EncryptionOptions | undefined, kept = 1_000): Promise<Running> =>
  start(Shop, { ...scene.where, engine: "off", encryption: options, keptFrames: { count: kept } });

beforeAll(async () => {
  scene = await openSealedScene();
  worker = await working(encryption);
  scene.atEnd(() => worker.stop());
  client = await scene.connected({ encryption });
});
afterAll(async () => {
  await scene.close();
});

/** Until it waits for this. */
async function waits(run: { status(): Promise<RunInfo> }, what: string): Promise<string> {
  let because = "";
  await waitFor(
    async () => {
      const { waiting } = await run.status();
      because = waiting?.because ?? "";
      return waiting?.for === what;
    },
    60_000,
    `the run to wait for ${what}`,
  );
  return because;
}

test("encryption: nothing of a durable run is readable in any stream or bucket, through crashes, laps and a change of keys", async () => {
  const heard = overhear(scene.link, secret);
  const fulfil = client.task<Order, any>("fulfil");
  const runs = await Promise.all([
    fulfil.enqueue({ card: secret }, { id: "order" }),
    fulfil.enqueue({ card: secret, how: "fail" }, { id: "fails" }),
    fulfil.enqueue({ card: secret, how: "undo" }, { id: "undoes" }),
  ]);
  const [order, fails, undoes] = runs;
  for (const run of runs) await waits(run, "a signal");
  await worker.stop(); // its frames are gone
  worker = await working(both, 0);
  const renewed = await scene.connected({ encryption: both });
  for (const { id } of runs) await renewed.get("fulfil", id).send(Approve, { card: secret });
  await assert.rejects(renewed.get("fulfil", fails.id).result(), (error: RunFailed) => {
    assert.equal(error.error.message, `no stock for ${secret}`);
    return true;
  });
  await waitFor(() => handled !== undefined, 30_000, "the failure to be handled");
  assert.deepEqual(handled, [secret, `no stock for ${secret}`]);

  await waits(undoes, "a signal");
  await undoes.cancel();
  await assert.rejects(undoes.result(), { _tag: "RunCancelled" });
  assert.equal(undone, secret);

  await waits(order, "a signal");
  const { entries } = await renewed.get("fulfil", "order").timeline();
  const valuesOf = (told: readonly TimelineEntry[]) => told.map(({ value }) => value);
  assert.deepEqual(valuesOf(entries).at(0), { charged: secret });
  assert.deepEqual(valuesOf(entries).at(-1), { card: secret });
  const keyless = await scene.connected({});
  const { entries: outlined } = await keyless.get("fulfil", "order").timeline();
  const shape = (told: readonly TimelineEntry[]) => told.map(({ value: _, encryptedWith: __, ...rest }) => rest);
  assert.deepEqual(shape(outlined), shape(entries));
  assert.deepEqual(
    new Set(outlined.map(({ value, encryptedWith }) => [value, encryptedWith].join())),
    new Set([",old", ",new"]),
  );

  await order.send(Stop);
  await waitFor(async () => (await renewed.get("fulfil", "order").timeline()).lap === 2, 30_000, "the second lap");
  await order.send(Approve, { card: secret }); // with the old key
  await order.send(Stop);
  assert.deepEqual(await renewed.get("fulfil", "order").result(), {
    ...{ card: secret, charged: { charged: secret }, told: [{ told: secret }, `cannot tell ${secret}`] },
    ...{ refused: `refused ${secret}`, approved: secret, won: "stopped" },
  });

  const busy = await renewed.task<Order, any>("busy").enqueue({ card: secret });
  await executing.promise;
  await busy.send(Approve, { card: secret });
  assert.deepEqual(await busy.result(), { card: secret, won: "said", value: { card: secret } });

  const noted = await renewed.list({ task: "note" });
  assert.equal(noted.total, 4);
  assert.ok((await foundIn(scene.link, '"customerId":"c1"')).length > 0); // what was declared plain
  const streams = await streamsOf(scene.link);
  assert.ok(streams.includes(subjects.journalStream), streams.join());
  assert.deepEqual(await foundIn(scene.link, secret), []);
  assert.deepEqual(heard, []);
  assert.ok((await foundIn(scene.link, "charge")).length > 0); // the name of a step
}, 180_000);

test("encryption: a durable run waits for a key that is missing, and says so", async () => {
  const fulfil = await client.task<Order, any>("fulfil").enqueue({ card: secret, how: "fail" }, { id: "waits" });
  await waits(fulfil, "a signal");
  await worker.stop();
  worker = await working({ ...encryption, current: "new", keys: { new: keys.new } }, 0);
  await fulfil.send(Approve, { card: secret });
  assert.match(await waits(fulfil, "its key"), /tried again at .*: what is encrypted of fulfil\/waits with key "old"/);
  const keyless = await scene.connected({});
  assert.equal((await keyless.list({ waitingFor: "its key" })).total, 1);
  await worker.stop();
  worker = await working(both);
  await assert.rejects(fulfil.result(), { _tag: "RunFailed" });
}, 180_000);
