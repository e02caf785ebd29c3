// Signals are stored by their senders while no engine answers: none is lost, none comes twice, and its place in the log decides.
import assert from "node:assert/strict";
import { EngineUnreachable, RunNotFound } from "../../src/domain/errors.ts";
import {
  connect,
  Durable,
  type DurableContext,
  type Natchet,
  type Running,
  type RunningEngineProcess,
  signal,
  start,
  startEngine,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { CliScene } from "../cli/scene.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const Answer = signal<string>("answer");
const Count = signal<number>("count");
const begun = Promise.withResolvers<void>();
const went = Promise.withResolvers<string>();

@Worker({ name: "askers", slots: 4 })
class Askers {
  @Durable("ask") async ask(_: undefined, ctx: DurableContext) {
    return ctx.waitFor(Answer);
  }
  @Durable("hurry") async hurry(_: undefined, ctx: DurableContext) {
    return (await ctx.waitFor(Answer, { timeout: "6s" })) ?? "too late";
  }
  @Durable("tally") async tally({ from, to }: { from: number; to: number }, ctx: DurableContext): Promise<any> {
    for (let i = from; i < Math.min(from + 20, to); i++) {
      const got = await ctx.waitFor(Count);
      if (got !== i) throw new Error(`${got} came instead of ${i}`);
    }
    return from + 20 < to ? ctx.restart({ from: from + 20, to }) : to;
  }
  @Durable("awake") async awake(_: undefined, ctx: DurableContext) {
    const slow = ctx.step("slow", ({ signal: stopped }) => {
      begun.resolve();
      return new Promise<void>((done) => stopped.addEventListener("abort", () => done()));
    });
    const { won } = await ctx.race({ slow, answered: ctx.waitFor(Answer) });
    went.resolve(won);
    return won;
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
let client: Natchet;
let worker: Running;
let engine: RunningEngineProcess;
const settings = () => ({ url: server.url, log: "silent", signals: false }) as const;
beforeAll(async () => {
  server = await testServer();
  engine = await startEngine(settings());
  worker = await start(Askers, { ...settings(), engine: "off" });
  client = await connect({ url: server.url });
});
afterAll(async () => {
  await client.close();
  await worker.stop();
  await engine.stop();
  await server.stop();
});
const parked = (run: { status(): Promise<{ state: string }> }) =>
  waitFor(async () => (await run.status()).state === "waiting", 20_000, "the run to wait");
const anotherEngine = async () => {
  engine = await startEngine(settings());
};

test("a signal is stored while there is no engine, once under its id, and wakes its run when there is one", async () => {
  const { ask } = client.tasks(Askers);
  const runs = [await ask.enqueue(undefined), await ask.enqueue(undefined, { id: "ours" })];
  const told = await ask.enqueue(undefined, { id: "told" });
  for (const run of [...runs, told]) await parked(run);
  await engine.stop();
  for (const run of runs) {
    await run.send(Answer, "yes", { id: "a" });
    await client.get("ask", run.id).send(Answer, "yes", { id: "a" });
    await run.send(Answer, "no");
  }
  await using cli = await CliScene.open("bun", { NATS_URL: server.url });
  const { code, output } = await cli.natchet("runs", "send", "ask", "told", "answer", '"by hand"');
  assert.deepEqual([code, output.trim()], [0, "sent answer to ask/told"]);
  await anotherEngine();
  for (const run of runs) assert.equal(await run.result(), "yes");
  assert.equal(await told.result(), "by hand");
}, 60_000);

test("whether a signal is in time is decided by the log, even if no engine was there from before until after the deadline", async () => {
  const { hurry } = client.tasks(Askers);
  const [early, late] = [await hurry.enqueue(undefined), await hurry.enqueue(undefined)];
  await Promise.all([parked(early), parked(late)]);
  const deadline = Date.now() + 6_000;
  await engine.stop();
  await early.send(Answer, "in time");
  await waitFor(() => Date.now() > deadline, 20_000, "the deadline");
  await late.send(Answer, "after it");
  await anotherEngine();
  assert.equal(await early.result(), "in time");
  assert.equal(await late.result(), "too late");
}, 60_000);

test("numbered signals arrive in order and once, while engines come and go", async () => {
  const run = await client.tasks(Askers).tally.enqueue({ from: 0, to: 300 });
  for (let i = 0; i < 300; i++) {
    if (i % 100 === 30) await engine.stop();
    await run.send(Count, i, { id: `${i}` });
    if (i % 100 === 70) await anotherEngine();
  }
  assert.equal(await run.result(), 300);
}, 90_000);

test("a run whose step executes takes a signal while there is no engine", async () => {
  const run = await client.tasks(Askers).awake.enqueue(undefined);
  await begun.promise;
  await engine.stop();
  await run.send(Answer, "stop");
  assert.equal(await went.promise, "answered");
  await anotherEngine();
  assert.equal(await run.result(), "answered");
}, 60_000);

test("what only an engine can say is waited for: whether a run without an entry has ended, or has never been", async () => {
  await engine.stop();
  const unknown = client.get("ask", "nobody");
  await assert.rejects(unknown.send(Answer, "?", { timeout: "300ms" }), EngineUnreachable);
  const waiting = unknown.send(Answer, "?");
  waiting.catch(() => {});
  await anotherEngine();
  await assert.rejects(waiting, RunNotFound);
}, 60_000);
