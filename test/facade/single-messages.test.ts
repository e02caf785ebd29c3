// One message of somebody else must stop nothing: while runs flow, each of these is sent to a live namespace. Work goes on, also under the
// leader after this one, which finds them in the log and in the bucket, and what is refused is named.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { connect, type Natchet, type Running, start, Task, Worker } from "../../src/mod.ts";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { newIdentity } from "../../src/runtime/worker-identity.ts";
import { testServer } from "../../src/testing/mod.ts";
import { encodeBundle, mostBundled } from "../../src/wire/bundle-entry.ts";
import { jsonBytes, noBytes, utf8 } from "../../src/wire/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { encodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import { protocol } from "../../src/wire/worker-messages.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const namespace = "single";
const root = `natchet.${namespace}`;

@Worker({ name: "steady", slots: 5 })
class Steady {
  @Task("echo", { concurrency: { key: "input.n % 2", max: 5 } })
  async echo({ n }: { n: number }) {
    return n;
  }

  @Task("constructor")
  async ofEveryObject(n: number) {
    return n;
  }
}

const said: string[] = [];
const keep =
  (level: string) =>
  (message: string, fields: object = {}) =>
    void (level !== "debug" && said.push(`${level} ${message} ${JSON.stringify(fields)}`));
const logger = { debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };

let server: Awaited<ReturnType<typeof testServer>>;
let running: Running;
let client: Natchet;
let link: NatsLink;
const scope = Effect.runSync(Scope.make());
const options = () => ({ url: server.url, namespace, signals: false }) as const;
const startWorker = () => start(Steady, { ...options(), logger });

beforeAll(async () => {
  server = await testServer();
  running = await startWorker();
  client = await connect(options());
  link = await Effect.runPromise(Scope.provide(connectNats({ url: server.url, namespace }), scope));
});
afterAll(async () => {
  await client.close();
  await Effect.runPromise(Scope.close(scope, Exit.void));
  await running.stop();
  await server.stop();
});

let n = 0;
async function works(): Promise<void> {
  const [echoed, odd] = await Promise.all([
    client.task<{ n: number }, number>("echo").run({ n: ++n }, { timeout: "20s" }),
    client.task<number, number>("constructor").run(n, { timeout: "20s", scheduleTimeout: "1m" }),
  ]);
  assert.deepEqual([echoed, odd], [n, n]);
}

const entryOf = (entry: Partial<RunEntry> = {}) =>
  encodeRunEntry({
    ...{ form: 0, priority: 1, createdAt: 1, dueAt: 0, scheduleTimeoutMs: undefined, inbox: "", extra: undefined },
    input: jsonBytes({ n: 0 }),
    ...entry,
  });
function entryWith(at: number, value: number): Uint8Array {
  const bytes = entryOf({ scheduleTimeoutMs: 60_000 });
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(at, value, true);
  return bytes;
}
const live = { asOf: 1, origin: 1, turn: 1, attempt: 1, lost: 0, dueAt: 0, readyAt: 0, retrying: false, history: [] };
const ended = { asOf: 1, origin: 1, kind: "completed", seq: 1, index: 0, at: 0 };
const compacted = (form: 1 | 2, state: object) => entryOf({ form, extra: { state } as never });
const markOf = (upTo: number) =>
  encodeOutcomeEntry("engine", [
    encodeOutcomeFrame({
      ...{ kind: "retention", key: "", turn: 0, attempt: 0, origin: 1, at: 1, dueAt: upTo },
      ...{ detail: noBytes, input: noBytes, output: noBytes },
    }),
  ]);
const placement = (told: unknown) => entryOf({ extra: { placement: told } as never });
const many = Array.from({ length: 5_000 }, (_, i) => `a${i}`);

/** In the log: subject under the namespace's, and bytes. All of them are refused, and named. */
const entries: readonly (readonly [what: string, subject: string, bytes: Uint8Array])[] = [
  ["a run without an id", "run.x", entryOf()],
  ["a run of a task that is no name", "run.x$.1", entryOf()],
  ["a run with an id of several tokens", "run.echo.a.b", entryOf()],
  ["a run with an id that is written in another way", "run.echo.=61", entryOf()],
  ["a run with an id that cannot be read", "run.echo.=ZZ", entryOf()],
  ["a run with an id that is too long", `run.echo.${"a".repeat(300)}`, entryOf()],
  ["a single run in place of a bundle", "run.echo.bundle.b1", entryOf()],
  ["a bundle in place of a run", "run.echo.one", encodeBundle({ ...empty(), form: 3 }, ["a", "b"], [noBytes, noBytes])],
  [
    "a bundle of too many",
    "run.echo.bundle.b2",
    encodeBundle({ ...empty(), form: 3 }, many.slice(0, mostBundled + 1), many.slice(0, mostBundled + 1).map(utf8)),
  ],
  [
    "a bundle with an empty id",
    "run.echo.bundle.b3",
    encodeBundle({ ...empty(), form: 3 }, ["", "b"], [noBytes, noBytes]),
  ],
  ["a schedule timeout that is no number", "run.echo.nan", entryWith(20, Number.NaN)],
  ["a due time that is no number", "run.echo.due", entryWith(12, Number.POSITIVE_INFINITY)],
  ["an affinity that is no list", "run.echo.p1", placement({ affinity: 5 })],
  ["an affinity without rules", "run.echo.p2", placement({ affinity: [null] })],
  ["a placement that is none", "run.echo.p3", placement("near")],
  ["a history that is no number of losses", "run.echo.c1", compacted(1, { ...live, lost: "1" })],
  ["a due time of a compacted run that is no time", "run.echo.c2", compacted(1, { ...live, readyAt: "soon" })],
  ["a compacted run of the future", "run.echo.c3", compacted(1, { ...live, asOf: 2 ** 52 })],
  ["a run that is older than the log", "run.echo.c4", compacted(1, { ...live, origin: 2 ** 52 })],
  ["a finished run of the future", "run.echo.c5", compacted(2, { ...ended, seq: 2 ** 52, asOf: 2 ** 52 })],
  ["an outcome beyond what its entry knows", "run.echo.c6", compacted(2, { ...ended, seq: 9 })],
  ["nothing", "run.echo.empty", noBytes],
  ["text", "run.echo.text", utf8("hello")],
  ["an outcome that is none", "done.worker.-.w1.1", utf8("hello")],
  ["a mark of the future", "done.engine.-.e1.999999", markOf(2 ** 52)],
  ["a mark between two entries", "done.engine.-.e1.999998", markOf(1.5)],
];
function empty(): RunEntry {
  const times = { createdAt: 1, dueAt: 0, scheduleTimeoutMs: undefined };
  return { form: 0, priority: 1, ...times, inbox: "", extra: undefined, input: noBytes };
}

/** What follows from these is not named: nothing is wrong with them in themselves. */
const quiet: readonly (readonly [what: string, subject: string, bytes: Uint8Array])[] = [
  ["an inbox that is none", "run.nobody.i1", entryOf({ inbox: "a b" })],
  ["an inbox in the bucket", "run.echo.i2", entryOf({ inbox: `$KV.natchet_${namespace}.pauses` })],
  ["a priority above all", "run.nobody.p9", entryWithPriority(255)],
  ["a history that is no list", "run.nobody.c7", compacted(1, { ...live, history: 5, lost: 1 })],
];
function entryWithPriority(priority: number): Uint8Array {
  const bytes = entryOf();
  bytes[2] = priority;
  return bytes;
}

test("entries of the log: each is named once with its sequence and subject, and the runs around it go on", async () => {
  await works();
  for (const [what, subject, bytes] of [...entries, ...quiet]) {
    said.length = 0;
    await link.nc.request(`${root}.${subject}`, bytes, { timeout: 10_000 });
    await works();
    const named = said.filter((line) => line.includes(`"subject":"${root}.${subject}"`));
    const isQuiet = quiet.some((other) => other[0] === what);
    assert.equal(named.length, isQuiet ? 0 : 1, `${what}: ${said.join("\n")}`);
    if (!isQuiet) assert.match(named[0]!, /^error an entry of the log cannot be read.*"seq":\d+/, what);
  }
});

test("an entry over that of a waiting run, without the sequence that the library expects: the run executes as it was created, by any engine", async () => {
  const run = await client.task<number, number>("constructor").enqueue(7, { id: "waits", delay: "1h" });
  await run.status();
  const subject = `${root}.run.constructor.waits`;
  const forged = () => said.filter((line) => line.includes("past the library"));
  await link.nc.request(subject, entryOf({ input: jsonBytes(8) }), { timeout: 10_000 });
  await waitFor(() => forged().length === 1, 20_000, "the engine to name it");
  await run.reschedule({ delay: "1s" });
  await running.stop();
  running = await startWorker();
  assert.deepEqual([await run.result({ timeout: "20s" }), (await run.status()).input], [7, 7]);
});

const task = {
  name: "echo",
  timeoutMs: 1,
  scheduleTimeoutMs: null,
  priority: 1,
  retries: 0,
  inputSchema: null,
  outputSchema: null,
};
const worker = {
  v: protocol,
  ...newIdentity(""),
  name: "w",
  slots: 1,
  labels: {},
  runtime: "r",
  version: "1",
  quiet: true,
  executing: [],
};
const registration = (more: object, ofTask: object = {}) => ({ ...worker, tasks: [{ ...task, ...ofTask }], ...more });
const limited = (key: string) => ({ policies: { concurrency: [{ key, max: 1, strategy: "queue" }] } });
const cron = { name: "c", expression: "0 0 * * *", timezone: "UTC", catchUp: "last" };

/** Verb, request, and what the answer says. */
const requests: readonly (readonly [verb: string, request: unknown, answer: RegExp])[] = [
  ["register", registration({}, limited("this is no CEL (")), /not a valid CEL expression/],
  ["register", registration({}, limited('input.a.matches("(a+)+")')), /matches\(\) is not available/],
  ["register", registration({}, limited("input.a.exists(x, input.b.exists(y, y == x))")), /within another loop/],
  ["register", registration({ slots: 1e9 }), /slots must be a whole number from 1 to 10000/],
  ["register", registration({ slots: 0 }), /slots must be a whole number/],
  ["register", registration({ id: "a b" }), /the secret is not that of worker/],
  ["register", registration({ id: "*" }), /the secret is not that of worker/],
  ["register", registration({ id: "*-w9" }), /the secret is not that of worker/],
  ["register", registration({ name: "a.b" }), /not a valid worker name/],
  ["register", registration({}, { name: "a.b" }), /not a valid task name/],
  ["register", registration({}, { name: "echo", onFailure: "a b" }), /not a valid task name/],
  ["register", registration({}, { crons: [{ ...cron, expression: "never" }] }), /not a valid schedule/],
  ["register", registration({}, { timeoutMs: 1e15 }), /longer than 10 years/],
  ["register", registration({ tasks: [task, task] }), /two tasks named "echo"/],
  ["register", registration({ labels: Object.fromEntries(many.map((name) => [name, 1])) }), /too many/],
  ["cron", { verb: "set", rule: { ...cron, expression: "x x x x x" }, task: "echo" }, /"x x x x x"/],
  ["cron", { verb: "set", rule: { ...cron, timezone: "Mars" }, task: "echo" }, /Mars/],
  ["cron", { verb: "set", rule: cron, task: "a b" }, /not a valid task name/],
  ["cron", { verb: "delete", name: "x".repeat(500_000) }, /there is no cron named/],
  ["cancel", { reason: "a field was lost" }, /runs or filter/],
  ["pause", { paused: true }, /task, worker or namespace/],
  ["pause", { task: "a b", paused: true }, /not a valid task name/],
  ["pause", { worker: "*", paused: true }, /name or id of a worker/],
  ["result", { keys: "echo/1", inbox: "" }, /is malformed|Malformed|malformed/],
  ["list", { filter: {}, limit: -1 }, /./],
  ["list", { filter: {}, limit: 10, cursor: "x" }, /not a cursor/],
  ["heartbeat", { id: "w9" }, /./],
];

test("requests: each is answered with what is wrong, changes nothing, and the runs around it go on", async () => {
  for (const [verb, request, answer] of requests) {
    said.length = 0;
    const reply = await link.nc.request(`${root}.engine.${verb}`, jsonBytes(request), { timeout: 10_000 });
    const label = `${verb} ${JSON.stringify(request).slice(0, 200)}: ${reply.string().slice(0, 300)}`;
    assert.match(reply.json<{ error?: { message: string } }>().error?.message ?? "", answer, label);
    assert.ok(reply.data.length < 10_000, label);
    await works();
  }
  assert.deepEqual(await client.crons.list(), []);
  assert.deepEqual(
    (await client.workers()).map(({ name }) => name),
    ["steady"],
  );
});

const records: readonly (readonly [key: string, record: Uint8Array])[] = [
  ["workers", utf8("no JSON")],
  ["pauses", utf8("{")],
  ["tried", jsonBytes({ tried: 5 })],
  ["rate.YQ", jsonBytes({ id: "a", perMs: -1, uses: "x" })],
  ["on-failure.echo", jsonBytes({ task: "echo", handler: 5 })],
  ["cron.Yg", jsonBytes({ ...cron, expression: "never", task: "echo", paused: false, lastTick: 0, origin: "api" })],
  ["cron.Yw", utf8("no JSON")],
  ["crons-of.Yw", jsonBytes(null)],
  ["task.echo", jsonBytes({ ...task, ...limited("(") })],
  ["admission", jsonBytes(null)],
];

test("records of the bucket, and messages on every subject: the next leader names what it cannot read, and leads", async () => {
  for (const [key, record] of records)
    await link.nc.request(`$KV.natchet_${namespace}.${key}`, record, { timeout: 10_000 });
  for (const subject of ["epoch", "admission", "worker.-.w1.assign", "worker.-.w1.cancel", "leader.e1", "engine.leave"])
    for (const bytes of [utf8("null"), utf8("["), noBytes, jsonBytes({ epoch: "x", isOpen: 1 })])
      link.nc.publish(`${root}.${subject}`, bytes);
  await works();
  for (const lease of ["no JSON", '{"engine":"a b","released":false}', '{"engine":"e","released":true,"ledger":5}']) {
    await link.nc.request(`$KV.natchet_${namespace}_lease.lead.leader`, lease, { timeout: 10_000 });
    await works();
  }
  await running.stop();
  said.length = 0;
  running = await startWorker();
  await works();
  for (const [key] of records.filter(([key]) => !["admission", "workers", "tried"].includes(key)))
    assert.equal(said.filter((line) => line.includes(`"key":"${key}"`)).length, 1, `${key}: ${said.join("\n")}`);
  for (const [what, subject] of entries)
    assert.equal(said.filter((line) => line.includes(`"subject":"${root}.${subject}"`)).length, 1, what);
});
