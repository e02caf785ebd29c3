// What one run costs, counted by a listener that hears everything the server carries. Does not depend on the machine: a change that
// makes runs dearer fails here, and has to say so by changing the figures.
import assert from "node:assert/strict";
import { connect as connectToServer, type Msg, type NatsConnection } from "@nats-io/transport-node";
import {
  connect,
  Durable,
  type DurableContext,
  signal,
  start,
  startEngine,
  Task,
  type TaskReference,
  Worker,
} from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

@Worker({ name: "echoing", slots: 50 })
class Echoing {
  @Task("echo")
  async echo(input: unknown) {
    return input;
  }
}

const Go = signal("go");

@Worker({ name: "waiting", slots: 5 })
class Waiting {
  @Durable("waits")
  async waits(times: number, ctx: DurableContext) {
    for (let n = 0; n < times; n++) await ctx.waitFor(Go);
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

const runs = 50;
const input = { text: "x".repeat(89) }; // 100 bytes of JSON

/** What goes on whether anybody enqueues or not: presence, the lease, the store's control messages. */
const isBackground = (namespace: string) => {
  const verbs = [`natchet.${namespace}.worker.`, `natchet.${namespace}.engine.`, `natchet.${namespace}.leader.`];
  return (subject: string) =>
    (verbs.some((verb) => subject.startsWith(verb)) && !subject.endsWith(".assign")) ||
    subject.endsWith(".admission") ||
    subject.startsWith("$KV.") ||
    subject.startsWith("$JS.");
};

class Listener {
  readonly messages: { readonly subject: string; readonly bytes: number }[] = [];
  readonly #ignoredReplies = new Set<string>();

  constructor(nc: NatsConnection, namespace: string) {
    const ignored = isBackground(namespace);
    const hear = ({ subject, reply, data, headers }: Msg) => {
      if (ignored(subject)) {
        if (reply !== undefined && reply !== "") this.#ignoredReplies.add(reply);
      } else if (!this.#ignoredReplies.delete(subject) && headers?.code !== 100)
        this.messages.push({ subject, bytes: data.length });
    };
    nc.subscribe(">", { callback: (_error, message) => hear(message) });
  }

  /** Messages on subjects that begin so, and their bytes, each a run. */
  perRun(prefix: string): { readonly messages: number; readonly bytes: number } {
    const matching = this.messages.filter(({ subject }) => subject.startsWith(prefix));
    const bytes = matching.reduce((sum, message) => sum + message.bytes, 0);
    return { messages: matching.length / runs, bytes: bytes / runs };
  }
}

type Measured = (echo: TaskReference<[input?: unknown], unknown>) => Promise<unknown>;

const oneByOne: Measured = async (echo) => {
  for (let n = 0; n < runs; n++) await echo.run(input, { id: `run-${String(n).padStart(4, "0")}` });
};

async function costOf(namespace: string, engineIsApart: boolean, measured = oneByOne): Promise<Listener> {
  const where = { url: server.url, namespace, log: "silent", signals: false } as const;
  const engine = engineIsApart ? await startEngine(where) : undefined;
  await engine?.whenLeading();
  const running = await start(Echoing, { ...where, engine: engineIsApart ? "off" : "auto" });
  const client = await connect(where);
  const echo = client.task<unknown, unknown>("echo");
  await echo.run(input);
  const nc = await connectToServer({ servers: server.url, token: new URL(server.url).username });
  const listener = new Listener(nc, namespace);
  await nc.flush();
  await measured(echo);
  await nc.flush();
  await client.close();
  await running.stop();
  await engine?.stop();
  await nc.close();
  return listener;
}

const inboxBytes = 27;
/** That of runs under ids of the client's own. */
const madeInboxBytes = 31;
// Written once by its author and delivered once to the engine. Key "echo/run-0000" 13 bytes, input and output 100 each.
const runEntryBytes = 36 + inboxBytes + 100;
const outcomeEntryBytes = 8 + 68 + 13 + 100 + 100;

test("cost of a run, engine and worker in one process: two writes, each read once, an acknowledgement and the result", async () => {
  const heard = await costOf("near", false);
  assert.deepEqual(heard.perRun("natchet.near.run."), { messages: 2, bytes: 2 * runEntryBytes });
  assert.deepEqual(heard.perRun("natchet.near.done."), { messages: 2, bytes: 2 * outcomeEntryBytes });
  assert.equal(heard.perRun("_INBOX.").messages, 2, "the client's acknowledgement and the result");
  assert.equal(heard.messages.length, 6 * runs);
});

test("cost of a run that the log tells the result of: the engine sends nothing, and what is quick needs no acknowledgement", async () => {
  const heard = await costOf("told", false, async (echo) => {
    for (let n = 0; n < runs; n++) await echo.run(input);
  });
  const told = heard.messages.filter(({ subject }) => subject.startsWith("_INBOX.") && subject.endsWith(".log"));
  assert.deepEqual(heard.perRun("natchet.told.run."), { messages: 2, bytes: 2 * (36 + madeInboxBytes + 100) });
  assert.deepEqual(heard.perRun("natchet.told.done."), { messages: 2, bytes: 2 * (8 + 68 + 31 + 100 + 100) });
  assert.equal(told.length, runs);
  // A run that takes a quarter of a second makes the next one ask: not on an idle machine.
  assert.ok(heard.messages.length <= 5 * runs + 2, `${heard.messages.length} messages for ${runs} runs`);
});

test("cost of a run, an engine apart: an assignment, its acknowledgement and that of the outcome more", async () => {
  const heard = await costOf("far", true);
  assert.deepEqual(heard.perRun("natchet.far.run."), { messages: 2, bytes: 2 * runEntryBytes });
  assert.deepEqual(heard.perRun("natchet.far.done."), { messages: 2, bytes: 2 * outcomeEntryBytes });
  assert.equal(heard.perRun("natchet.far.worker.").messages, 1);
  assert.equal(heard.messages.length, 9 * runs);
});

test("cost of a large run: its input is written once, in the run's entry; the outcome has the output only", async () => {
  const bytes = 100_000;
  const large = { text: "x".repeat(bytes - 11) };
  const heard = await costOf("large", false, async (echo) => {
    for (let n = 0; n < runs; n++) await echo.run(large, { id: `run-${String(n).padStart(4, "0")}` });
  });
  assert.deepEqual(heard.perRun("natchet.large.run."), { messages: 2, bytes: 2 * (36 + inboxBytes + bytes) });
  assert.deepEqual(heard.perRun("natchet.large.done."), { messages: 2, bytes: 2 * (8 + 68 + 13 + bytes) });
  assert.equal(heard.messages.length, 6 * runs);
});

test("cost of runs that are created together: they are stored, executed and answered together", async () => {
  const heard = await costOf("many", false, (echo) => echo.runMany(Array.from({ length: runs }, () => input)));
  // Head and inbox once, and eight bytes; an id with its comma, a length and the input for each run, one comma less.
  const bundleBytes = 36 + madeInboxBytes + 8 + runs * (27 + 4 + 100) - 1;
  assert.deepEqual(heard.perRun("natchet.many.run."), { messages: 2 / runs, bytes: (2 * bundleBytes) / runs });
  assert.deepEqual(heard.perRun("natchet.many.done."), {
    messages: 2 / runs,
    bytes: (2 * (8 + runs * (68 + 31 + 100 + 100))) / runs,
  });
  assert.equal(heard.messages.length, 6, "what a single run costs");
});

test("cost of waking a warm run by a signal: the signal, a record of its journal, a share of an outcome, and the store is asked for nothing", async () => {
  const where = { url: server.url, namespace: "woken", log: "silent", signals: false } as const;
  const running = await start(Waiting, where);
  const client = await connect(where);
  const nc = await connectToServer({ servers: server.url, token: new URL(server.url).username });
  const listener = new Listener(nc, where.namespace);
  let asked = 0;
  const isAsked = /^\$JS\.API\.(STREAM\.INFO|STREAM\.MSG\.GET|DIRECT\.GET)\.NATCHET_woken/;
  nc.subscribe("$JS.API.>", {
    callback: (_, { subject }) => {
      if (isAsked.test(subject)) asked += 1;
    },
  });
  const run = await client.tasks(Waiting).waits.enqueue(runs);
  const ends = () => listener.messages.filter(({ subject }) => subject.startsWith("natchet.woken.done.")).length;
  for (let n = 1; n <= runs; n++) {
    await waitFor(() => ends() >= 2 * n, 10_000, "the run to wait");
    await run.send(Go, undefined);
  }
  await run.result();
  await nc.flush();
  assert.equal(listener.perRun("natchet.woken.signal.").messages, 2, "written and read");
  assert.equal(listener.perRun("natchet.woken.journal.").messages, 1, "read by nobody");
  assert.equal(ends(), 2 * (runs + 1));
  assert.ok(asked < runs / 5, `${asked} questions to the store, besides those that go on all the time`);
  await client.close();
  await running.stop();
  await nc.close();
});
