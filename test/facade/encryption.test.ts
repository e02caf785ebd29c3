// Encryption: what clients and workers seal stands in no stream in plain words, and is read back by whoever has the key.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  connect,
  type EncryptionOptions,
  type Natchet,
  OnFailure,
  type RunFailed,
  start,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { foundIn, overhear, streamsOf } from "../support/found-in.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { openSealedScene, type SealedScene } from "./sealed-scene.ts";

const secret = "4111-1111-1111-1111";
const old = randomBytes(32).toString("base64");
const key = new Uint8Array(randomBytes(32));
const encryption: EncryptionOptions = { current: "2026-11", keys: { "2026-11": key, "2026-05": old } };

interface Charge {
  card: string;
  customerId?: string;
  how?: "fail" | "retry";
}
const handled: unknown[] = [];
const errorsBefore: unknown[] = [];
let most = 0;
let now = 0;

@Worker({ name: "bank", slots: 50 })
class Bank {
  @Task("charge", {
    plain: ["customerId"],
    retries: { limit: 1, base: 1 },
    concurrency: { key: "input.customerId", max: 1 },
  })
  async charge({ card, how }: Charge, ctx: TaskContext) {
    now += 1;
    most = Math.max(most, now);
    try {
      ctx.log.info(`charging ${card}`, { card });
      ctx.progress(0.5, `half of ${card}`);
      await ctx.stream(`text ${card}`);
      await ctx.stream(new TextEncoder().encode(`bytes ${card}`));
      await ctx.stream({ card });
      if (ctx.attempt > 1) errorsBefore.push(ctx.errors[0]?.message);
      if (how === "fail" || (how === "retry" && ctx.attempt === 1))
        throw new TypeError(`refused ${card}`, { cause: new Error(`no money on ${card}`) });
      return { charged: card };
    } finally {
      now -= 1;
    }
  }
  @OnFailure()
  async failed({ card }: Charge, ctx: TaskContext) {
    handled.push([card, ctx.failedRun?.error.message, ctx.failedRun?.attempts[0]?.error?.message]);
    return { told: card };
  }
  @Task("tick")
  async tick({ card }: Charge) {
    return { charged: card };
  }
}

const subjects = new Subjects("sealed");
let scene: SealedScene;
let client: Natchet;

beforeAll(async () => {
  scene = await openSealedScene();
  const worker = await start(Bank, { ...scene.where, engine: "off", encryption });
  scene.atEnd(() => worker.stop());
  client = await scene.connected({ encryption });
});
afterAll(async () => {
  await scene.close();
});

test("encryption: nothing of a run is readable in any stream or bucket, and all of it by a client with the key", async () => {
  const heard = overhear(scene.link, secret);
  const { charge } = client.tasks(Bank);
  const completed = { charged: secret };
  assert.deepEqual(await charge.run({ card: secret, customerId: "c1" }), completed);
  const many = Array.from({ length: 20 }, (_, n) => ({ card: secret, customerId: `c${n}` }));
  const runs = await charge.enqueueMany(many, { metadata: { batch: "1" } });
  for (const run of runs) assert.deepEqual(await run.result(), completed);
  const retried = await charge.enqueue({ card: secret, customerId: "r", how: "retry" }, { id: "retried" });
  assert.deepEqual(await retried.result(), completed);
  assert.deepEqual(errorsBefore, [`refused ${secret}`]);
  const large = await charge.enqueue({ card: secret + "x".repeat(200_000), customerId: "l" }, { id: "large" });
  assert.equal((await large.result()).charged.length, 200_000 + secret.length);
  const failed = await charge.enqueue({ card: secret, customerId: "f", how: "fail" }, { id: "failed" });
  const failure = await failed.result().then(
    () => assert.fail(),
    (error: RunFailed) => error,
  );
  assert.deepEqual([failure.error.name, failure.error.message], ["TypeError", `refused ${secret}`]);
  assert.match(failure.error.stack!, /encryption\.test/);
  assert.equal(failure.error.cause?.message, `no money on ${secret}`);
  await waitFor(() => handled.length > 0, 30_000, "the failure to be handled");
  assert.deepEqual(handled, [[secret, `refused ${secret}`, `refused ${secret}`]]);
  assert.deepEqual(await (await retried.replay()).result(), completed);
  const byName = await scene.connected({ encryption }); // it has seen no declaration
  assert.deepEqual(await (await byName.get("charge", "retried").replay()).result(), completed);
  await client.crons.set("often", { task: "tick", cron: "* * * * * *", input: { card: secret } });
  assert.deepEqual((await client.crons.get("often"))?.input, { card: secret });
  const ticks = async () => (await client.list({ task: "tick", state: ["completed"] })).runs;
  await waitFor(async () => (await ticks()).length > 0, 30_000, "a tick");
  assert.deepEqual(await client.get("tick", (await ticks())[0]!.id).result(), completed);
  await client.crons.pause("often");

  const status = await failed.status();
  assert.deepEqual(status.input, { card: secret, customerId: "f", how: "fail" });
  assert.equal(status.attempts[0]?.error?.message, `refused ${secret}`);
  assert.deepEqual((await retried.status()).output, completed);
  const { runs: listed } = await client.list({ state: ["failed"] }, { errors: true });
  assert.equal(listed[0]?.error?.message, `refused ${secret}`);
  const lines = [];
  for await (const { message, fields } of runs[0]!.logs()) lines.push({ message, fields });
  assert.deepEqual(lines, [{ message: `charging ${secret}`, fields: { card: secret } }]);
  const chunks = [];
  for await (const { value } of runs[0]!.stream())
    chunks.push(value instanceof Uint8Array ? Buffer.from(value) : value);
  assert.deepEqual(chunks, [`text ${secret}`, Buffer.from(`bytes ${secret}`), { card: secret }]);
  assert.equal((await runs[0]!.progress())?.note, `half of ${secret}`);

  const streams = await streamsOf(scene.link);
  assert.ok(streams.includes(subjects.stream) && streams.includes(subjects.logsStream), streams.join());
  assert.deepEqual(await foundIn(scene.link, secret), []);
  assert.deepEqual(heard, []);
  assert.ok((await foundIn(scene.link, '"customerId":"c1"')).length > 0); // what was declared plain, so the search finds what there is
}, 120_000);

test("encryption: keys of limits are evaluated on plain fields", async () => {
  most = 0;
  const input = { card: secret, customerId: "one" };
  await client.tasks(Bank).charge.runMany(Array.from({ length: 5 }, () => input));
  assert.equal(most, 1);
}, 60_000);

test("encryption: what older keys have sealed is read, a function is asked once for each id, and plain runs go on", async () => {
  const plain = { charge: ["customerId"] }; // for callers by name
  const before = await scene.connected({ encryption: { current: "2026-05", keys: { "2026-05": old }, plain } });
  const run = await before.task<Charge, object>("charge").enqueue({ card: secret, customerId: "old" });
  await assert.rejects(run.result(), {
    _tag: "DecryptionFailed",
    run: run.key,
    keyId: "2026-11",
    message: /there is no key of that id/,
  });
  const asked: string[] = [];
  const keys = async (id: string) => {
    asked.push(id);
    return id === "2026-05" ? old : key;
  };
  const after = await scene.connected({ encryption: { current: "2026-11", keys, plain } });
  const known = after.get("charge", run.id);
  assert.deepEqual(await Promise.all([known.result(), known.result()]), [{ charged: secret }, { charged: secret }]);
  assert.deepEqual((await known.status()).input, { card: secret, customerId: "old" });
  assert.deepEqual(asked, ["2026-11", "2026-05"]);
  const keyless = await scene.connected({});
  const unsealed = await keyless.task<Charge>("tick").enqueue({ card: "plain" });
  assert.deepEqual(await client.get("tick", unsealed.id).result(), { charged: "plain" });
}, 60_000);

test("DecryptionFailed names the run and the key: for a wrong key, without keys, and for a ciphertext of another run", async () => {
  const run = await client.task<Charge>("tick").enqueue({ card: secret });
  await run.result();
  const wrong = await scene.connected({ encryption: { current: "2026-11", keys: { "2026-11": randomBytes(32) } } });
  const refused = (message: RegExp) => ({ _tag: "DecryptionFailed", run: run.key, keyId: "2026-11", message });
  await assert.rejects(wrong.get("tick", run.id).result(), refused(/the key of that id is another one/));
  await assert.rejects(wrong.get("tick", run.id).status(), refused(/the key of that id is another one/));
  const keyless = await scene.connected({});
  await assert.rejects(keyless.get("tick", run.id).result(), refused(/has no keys; give it the option "encryption"/));
  const { input } = await keyless.get("tick", run.id).status();
  assert.deepEqual(Object.keys(input as object), ["$sealed"]);
  assert.deepEqual(await (await keyless.get("tick", run.id).replay()).status().then((one) => one.task), "tick");

  const moved = await keyless.task("charge").enqueue({ ...(input as object), customerId: "m" }, { id: "moved" });
  await assert.rejects(client.get("charge", moved.id).result(), /belongs to another run/);
}, 60_000);

test("encryption.required: a plain input fails its run at once", async () => {
  const namespace = "required";
  const options = { encryption: { ...encryption, required: true }, namespace };
  const worker = await start(Bank, { ...scene.where, ...options });
  scene.atEnd(() => worker.stop());
  const keyless = await scene.connected({ namespace });
  const run = await keyless.task<Charge>("tick").enqueue({ card: "plain" });
  const reader = await scene.connected(options);
  await assert.rejects(reader.get("tick", run.id).result(), /is not encrypted, and this worker takes no other/);
  assert.deepEqual(await reader.task<Charge>("tick").run({ card: secret }), { charged: secret });
}, 60_000);

test("encryption: options that cannot work are refused at the start", async () => {
  const refused = (given: unknown, message: RegExp) =>
    assert.rejects(connect({ ...scene.where, encryption: given as EncryptionOptions }), message);
  await refused({ current: "a", keys: { a: randomBytes(16) } }, /key "a" has 16 bytes; AES-256 needs 32/);
  await refused({ current: "a", keys: { a: undefined } }, /key "a" must be 32 bytes/);
  await refused({ current: "b", keys: { a: key } }, /there is no key "b" in encryption.keys/);
  await refused({ current: "a", keys: () => undefined }, /there is no key of that id/);
  await refused({ current: "a", key }, /"key" is not an option of encryption. Did you mean "keys"/);
  @Worker()
  class Undeclared {
    @Task("undeclared", { concurrency: { key: "input.customerId", max: 1 } }) async undeclared(_: Charge) {}
  }
  await assert.rejects(
    start(Undeclared, { ...scene.where, encryption }),
    /cannot evaluate "input.customerId" on an encrypted input; declare the field plain, for example \{ plain: \["customerId"\] \}/,
  );
});
