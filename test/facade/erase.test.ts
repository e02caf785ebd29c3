// Erasing a run: whatever the streams hold of it goes at once, its neighbours stay, and every leader knows the same afterwards.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import {
  connect,
  Durable,
  type DurableContext,
  type Natchet,
  signal,
  start,
  startEngine,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { JournalStore } from "../../src/nats/journal.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { testServer } from "../../src/testing/mod.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { historyOf } from "../../src/worker/durable/history.ts";
import { foundIn } from "../support/found-in.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const secret = "ann@example.org";
const executing = Promise.withResolvers<void>();

@Worker({ name: "mail", slots: 50 })
class Mail {
  @Task("send", { retries: { limit: 1, base: 1 } })
  async send({ to, how }: { to: string; how?: "retry" | "fail" }, ctx: TaskContext) {
    ctx.log.info(`to ${to}`);
    await ctx.stream(`chunk for ${to}`);
    if (how === "fail" || (how === "retry" && ctx.attempt === 1)) throw new Error(`no mailbox for ${to}`);
    return { sentTo: to };
  }
  @Task("wait")
  async wait(_: { to: string }, ctx: TaskContext) {
    executing.resolve();
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
    ctx.signal.throwIfAborted();
  }
}

const Approve = signal<{ by: string }>("approve");

@Worker({ name: "orders", slots: 50 })
class Orders {
  @Durable("fulfil")
  async fulfil({ to }: { to: string }, ctx: DurableContext): Promise<any> {
    const note = await ctx.step("note", () => `for ${to}`);
    const sent = await ctx.tasks(Mail).send.run({ to });
    const approved = await ctx.waitFor(Approve);
    return { note, sent, approved };
  }
}

const subjects = new Subjects("erase");
let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let link: NatsLink;
let engine: Awaited<ReturnType<typeof startEngine>>;
const ends: (() => Promise<unknown>)[] = [];
const where = () => ({ url: server.url, namespace: "erase", log: "silent", signals: false }) as const;

beforeAll(async () => {
  server = await testServer();
  engine = await startEngine(where());
  await engine.whenLeading();
  const worker = await start([Mail, Orders], { ...where(), engine: "off" });
  client = await connect(where());
  const scope = Scope.makeUnsafe();
  link = await Effect.runPromise(Scope.provide(connectNats({ url: server.url, namespace: "erase" }), scope));
  ends.push(
    () => client.close(),
    () => worker.stop(),
    () => engine.stop(),
    () => Effect.runPromise(Scope.close(scope, Exit.void)),
    () => server.stop(),
  );
});
afterAll(async () => {
  for (const end of ends) await end();
});

test("erase: nothing of a run is left in any stream, whatever became of it, and its neighbours are as they were", async () => {
  const send = client.task<{ to: string; how?: string }, { sentTo: string }>("send");
  const others = Array.from({ length: 20 }, (_, n) => `other-${n}@example.org`);
  const inputs = [...others.slice(0, 10), secret, ...others.slice(10)].map((to) => ({ to }));
  const many = await send.enqueueMany(inputs, { metadata: { batch: "1" } });
  const alone = await send.enqueue({ to: secret }, { id: "alone", metadata: { customer: secret } });
  const retried = await send.enqueue({ to: secret, how: "retry" }, { id: "retried" });
  const failed = await send.enqueue({ to: secret, how: "fail" }, { id: "failed" });
  const large = await send.enqueue({ to: `${secret}${"x".repeat(6_000)}` }, { id: "large" });
  const waiting = await client.task("nobody").enqueue({ to: secret }, { id: "waiting" });
  const running = await client.task("wait").enqueue({ to: secret }, { id: "running" });
  await executing.promise;
  await Promise.all([...many, alone, retried, failed, large].map((run) => run.result().catch(() => {})));
  const before = await Promise.all(many.map((run) => run.status()));
  assert.ok((await foundIn(link, secret)).length > 6);

  const gone = [many[10]!, alone, retried, failed, large, waiting, running];
  for (const run of gone) await run.erase();

  assert.deepEqual(await foundIn(link, secret), []);
  const told = async () => {
    for (const run of gone) {
      await assert.rejects(client.get(run.task, run.id).result(), { _tag: "RunErased" });
      const { erased, input, output, metadata, error, attempts } = await run.status();
      assert.deepEqual(
        [erased, input, output, metadata, error, attempts],
        [true, undefined, undefined, {}, undefined, []],
      );
    }
    assert.deepEqual((await failed.status()).state, "failed");
    assert.deepEqual((await running.status()).state, "cancelled");
    const after = await Promise.all(many.map((run) => run.status()));
    assert.deepEqual(
      after.filter((_, n) => n !== 10),
      before.filter((_, n) => n !== 10),
    );
    for (const [n, run] of many.entries()) if (n !== 10) assert.equal((await run.result()).sentTo, inputs[n]!.to);
  };
  await told();
  const again = await send.enqueue({ to: "somebody else" }, { id: "alone" });
  await assert.rejects(again.result(), { _tag: "RunErased" });
  await alone.erase(); // also what was sent since, and once more
  assert.deepEqual(await foundIn(link, "somebody else"), []);

  const next = await startEngine(where());
  await engine.stop();
  engine = next;
  await next.whenLeading();
  await told();
}, 60_000);

test("erase: of a durable run neither its journal nor its signals are left, and its children go by themselves", async () => {
  const name = "carol@example.org";
  const run = await client.task<{ to: string }>("fulfil").enqueue({ to: name }, { id: "durable" });
  await run.send(Approve, { by: name });
  await run.result();
  assert.ok((await run.timeline()).entries.length > 2);
  const { runs: children } = await client.list({ metadata: { "natchet.parent": run.key } });
  assert.equal(children.length, 1);
  const { origin } = await run.status();
  await run.erase();
  assert.deepEqual(await run.timeline(), { lap: 1, entries: [] });
  for (const child of children) await client.get(child.task, child.id).erase();
  assert.deepEqual(await foundIn(link, name), []);

  const late = new JournalStore(link, subjects, { publisher: {} as never });
  const left = await late.read({ key: run.key, origin: origin! });
  assert.equal(historyOf(left, 1_000_000), undefined); // a worker that comes late neither goes on nor begins again
}, 60_000);

test("erase: what a leader has begun the next one completes", async () => {
  const run = await client.task("send").enqueue({ to: "bob@example.org" }, { id: "begun" });
  await run.result();
  const { origin, createdAt } = await run.status();
  const detail = jsonBytes({ createdAt, priority: 0, attempts: [], was: "completed" });
  const stone = encodeOutcomeFrame({
    ...{ kind: "erased", key: run.key, turn: 1, attempt: 1, origin: origin!, at: createdAt, dueAt: 0 },
    ...{ detail, input: noBytes, output: noBytes },
  });
  await link.nc.request(subjects.outcome("engine", "e1", 1), encodeOutcomeEntry("engine", [stone]), { timeout: 5_000 });
  await assert.rejects(client.get("send", "begun").result(), { _tag: "RunErased" });
  assert.ok((await foundIn(link, "bob@example.org")).length > 0);
  const next = await startEngine(where());
  await engine.stop();
  engine = next;
  await waitFor(async () => (await foundIn(link, "bob@example.org")).length === 0, 20_000, "the rest to be erased");
}, 60_000);

test("erase: a run that nobody knows is not found", async () => {
  await assert.rejects(client.get("send", "unknown").erase(), { _tag: "RunNotFound" });
});
