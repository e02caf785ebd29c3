// Results that the server passes on from the log as soon as they are stored, with real engines and workers.
import assert from "node:assert/strict";
import { connect as connectToServer } from "@nats-io/transport-node";
import type { RunState } from "../../src/domain/run.ts";
import { connect, RunCancelled, RunFailed, start, startEngine, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { decodeOutcomeEntry } from "../../src/wire/outcome-entry.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

let release = Promise.withResolvers<void>();

@Worker({ name: "telling", slots: 20 })
class Telling {
  @Task("double")
  async double({ n }: { n: number }) {
    return n * 2;
  }
  @Task("fail")
  async fail() {
    throw new Error("as expected");
  }
  @Task("wait")
  async wait() {
    await release.promise;
    return "done";
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

const placeOf = (namespace: string) => ({ url: server.url, namespace, log: "silent", signals: false }) as const;

test("an outcome entry holds runs of one client only, and each client gets all of its results", async () => {
  const where = placeOf("two-clients");
  const running = await start(Telling, where);
  const spy = await connectToServer({ servers: server.url, token: new URL(server.url).username });
  const told: { readonly waiter: string; readonly keys: readonly string[] }[] = [];
  spy.subscribe("natchet.two-clients.done.*.*.*.*.*", {
    callback: (_error, { subject, data }) =>
      void told.push({
        waiter: subject.split(".").at(-1)!,
        keys: decodeOutcomeEntry(data).outcomes.map(({ key }) => key),
      }),
  });
  await spy.flush();
  const clients = await Promise.all([connect(where), connect(where)]);
  const inputs = Array.from({ length: 200 }, (_, n) => ({ n }));
  const outputs = await Promise.all(
    clients.flatMap((client) => [
      client.task<{ n: number }, number>("double").runMany(inputs),
      Promise.all(inputs.map((input) => client.task<{ n: number }, number>("double").run(input))),
    ]),
  );
  for (const each of outputs)
    assert.deepEqual(
      each,
      inputs.map(({ n }) => n * 2),
    );
  await spy.flush();
  const keys = told.flatMap((entry) => entry.keys);
  assert.equal(keys.length, 800);
  assert.equal(new Set(keys).size, 800);
  const runsOf = Map.groupBy(told, ({ waiter }) => waiter);
  assert.deepEqual(
    Array.from(runsOf.values(), (entries) => entries.flatMap((entry) => entry.keys).length),
    [400, 400],
  );
  await Promise.all(clients.map((client) => client.close()));
  await running.stop();
  await spy.close();
}, 30_000);

test("who has a result finds its run completed, through any client", async () => {
  const where = placeOf("current");
  const engine = await startEngine(where);
  await engine.whenLeading();
  const running = await start(Telling, { ...where, engine: "off" });
  const [client, other] = await Promise.all([connect(where), connect(where)]);
  const double = client.task<{ n: number }, number>("double");
  const seen = new Map<string, number>();
  for (let n = 0; n < 100; n++) {
    await double.run({ n });
    const [newest] = (await other.list({ task: "double" }, { limit: 1 })).runs;
    seen.set(newest!.state, (seen.get(newest!.state) ?? 0) + 1);
    const queue = (await other.queues()).find(({ task }) => task === "double");
    assert.equal((queue?.queued ?? 0) + (queue?.running ?? 0), 0);
  }
  assert.deepEqual([...seen], [["completed", 100]]);
  await Promise.all([client.close(), other.close()]);
  await running.stop();
  await engine.stop();
}, 30_000);

test("failures and cancellations are told too", async () => {
  const where = placeOf("ends");
  release = Promise.withResolvers();
  const running = await start(Telling, where);
  const client = await connect(where);
  await assert.rejects(
    client.task("fail").run(),
    (error) => error instanceof RunFailed && /as expected/.test(error.message),
  );
  const waiting = Array.from({ length: 5 }, () => client.task("wait").run());
  const nobodys = client.task("nobodys").run(); // waits in its queue
  const ends = Promise.allSettled([...waiting, nobodys]);
  const countOf = async (state: RunState) => (await client.list({ state: [state] })).total;
  await waitFor(async () => (await countOf("running")) === 5, 10_000, "five runs to run");
  await waitFor(async () => (await countOf("queued")) === 1, 10_000, "one to wait");
  await client.cancel({ state: ["queued", "running"] }, "enough");
  for (const end of await ends) assert.ok(end.status === "rejected" && end.reason instanceof RunCancelled);
  release.resolve();
  await client.close();
  await running.stop();
}, 30_000);

test("a run that ends while nobody leads is told at once", async () => {
  const where = placeOf("nobody-leads");
  release = Promise.withResolvers();
  const engine = await startEngine(where);
  await engine.whenLeading();
  const running = await start(Telling, { ...where, engine: "off" });
  const client = await connect(where);
  const output = client.task<undefined, string>("wait").run();
  await waitFor(async () => (await client.list({ state: ["running"] })).total === 1, 10_000, "the run to run");
  await engine.stop();
  release.resolve();
  assert.equal(await output, "done");
  const next = await startEngine(where); // so that the worker can say good-bye
  await next.whenLeading();
  await running.stop();
  await client.close();
  await next.stop();
}, 30_000);
