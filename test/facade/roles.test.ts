// Each role with the rights that `natchet nats-config` gives it: it can do its work, the server refuses none of that, and all that is not its
// work is refused.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { serverConfig } from "../../src/facade/server-config.ts";
import {
  connect,
  Durable,
  type DurableContext,
  signal,
  start,
  startEngine,
  Task,
  type TaskContext,
  Worker,
} from "../../src/mod.ts";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { type Role, rightsOf, roles } from "../../src/nats/roles.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { probe } from "../health/scene.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { waitFor } from "../support/wait-for.ts";

const subjects = new Subjects("prod");
const password = (namespace: string, role: Role) => `of-${namespace}-${role}`;

let server: NatsServer;
let folder: string;
const said = () => readFileSync(join(folder, "server.log"), "utf8").match(/.*Violation.*/gi) ?? [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "natchet-roles-"));
  const config = serverConfig({ namespaces: ["prod", "other"], password });
  server = await startNatsServer({ config, args: ["-l", join(folder, "server.log")] });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const loginOf = (role: Role) => ({
  url: server.url,
  namespace: "prod",
  user: `prod_${role}`,
  password: password("prod", role),
  inboxPrefix: rightsOf(role, subjects).inboxPrefix,
});
const as = (role: Role) => ({ ...loginOf(role), log: "silent", signals: false }) as const;

const Answer = signal<string>("answer");
const passed = Promise.withResolvers<string>();

@Worker({ name: "talk", slots: 5 })
class TalkWorker {
  @Task("talk")
  async talk(to: string, ctx: TaskContext) {
    ctx.log.info(`to ${to}`);
    ctx.progress(0.5, "half");
    await ctx.stream(to);
    const natchet = await connect(as("worker"));
    passed.resolve(await natchet.task<string, string>("listen").run(to));
    await natchet.close();
    return `talked to ${to}`;
  }

  @Task("listen", { retries: { limit: 1, base: 1 } })
  async listen(to: string, ctx: TaskContext) {
    if (to === "retry" && ctx.attempt === 1) throw new Error("once more");
    return `listened to ${to}`;
  }

  @Task("large")
  async large(bytes: number) {
    return "x".repeat(bytes);
  }

  @Durable("ask")
  async ask(_input: unknown, ctx: DurableContext) {
    return ctx.waitFor(Answer);
  }

  @Task("hold")
  async hold(_input: unknown, ctx: TaskContext) {
    await new Promise<void>((resolve) => ctx.signal.addEventListener("abort", () => resolve()));
  }
}

test("roles: each can do its work, through a change of the leader, and the server refuses nothing", async () => {
  const engine = await startEngine(as("engine"));
  await engine.whenLeading();
  const worker = await start(TalkWorker, { ...as("worker"), engine: "off", health: { port: 0 } });
  const [producer, operator] = await Promise.all([connect(as("producer")), connect(as("operator"))]);

  const work = async (name: string) => {
    const run = await producer.task<string, string>("talk").enqueue(name, { id: name });
    assert.equal(await run.result(), `talked to ${name}`);
    assert.equal((await run.status()).state, "completed");
    assert.equal((await producer.task<string, string>("talk").enqueue(name, { id: name })).created, false);
    assert.deepEqual(await Array.fromAsync(run.logs(), ({ message }) => message), [`to ${name}`]);
    assert.deepEqual(await Array.fromAsync(run.stream(), ({ value }) => value), [name]);
    assert.equal((await run.progress())?.note, "half");
    assert.equal(await producer.task<string, string>("listen").run("retry"), "listened to retry");
    assert.equal((await producer.task<number, string>("large").run(200_000)).length, 200_000);
    const many = await producer
      .task<string, string>("listen")
      .enqueueMany(Array.from({ length: 50 }, (_, n) => `${n}`));
    assert.equal((await Promise.all(many.map((one) => one.result()))).length, 50);
  };
  const operate = async () => {
    await operator.pause({ task: "talk" });
    const later = await operator.task<string, string>("talk").enqueue("grace", { delay: "1h" });
    await later.reschedule({ delay: "2h" });
    assert.equal(await later.cancel(), "cancelled");
    await operator.resume({ task: "talk" });
    const held = await operator.task("hold").enqueue({});
    const gone = assert.rejects(held.result(), { _tag: "RunCancelled" });
    await held.cancel();
    await gone;
    await operator.crons.set("hourly", { task: "listen", cron: "0 * * * *" });
    assert.equal((await operator.crons.list()).length, 1);
    await operator.crons.delete("hourly");
    const [workers, queues, { runs }] = await Promise.all([operator.workers(), operator.queues(), operator.list()]);
    assert.ok(workers.length === 1 && queues.length > 0 && runs.length > 0);
  };
  await work("ada");
  assert.equal(await passed.promise, "listened to ada");
  await operate();
  assert.equal((await probe(worker.healthUrl, "/ready")).status, 200);

  const asked = await Promise.all(["own", undefined].map((id) => producer.task("ask").enqueue({}, { id })));
  for (const run of asked)
    await waitFor(async () => (await run.status()).state === "waiting", 20_000, "the run to wait for its signal");
  await engine.stop();
  for (const run of asked) await run.send(Answer, "without an engine");
  const next = await startEngine(as("engine"));
  await next.whenLeading();
  for (const run of asked) assert.equal(await run.result(), "without an engine");
  await work("grace");
  await operate();

  await Promise.all([producer.close(), operator.close()]);
  await worker.stop();
  await next.stop();
  assert.deepEqual(said(), []);
}, 90_000);

const log = subjects.stream;
const bucket = `KV_${subjects.bucket}`;
/** Format 1, where an entry itself said who wrote it. */
const unsigned = ["natchet.prod.done.e7.1", "natchet.prod.done.w1.1", "natchet.prod.done.w1.1.waiter"];
/** Nobody does this; who may is allowed to do anything. */
const forNobody = [
  ...unsigned,
  "natchet.other.run.talk.x",
  "other.tenant.commands",
  "$SYS.REQ.SERVER.PING",
  "$JS.API.STREAM.NAMES",
  "$JS.API.STREAM.CREATE.ANYTHING",
  `$JS.API.STREAM.DELETE.${log}`,
  `$JS.API.STREAM.MSG.DELETE.${log}`,
  `$JS.API.STREAM.SNAPSHOT.${log}`,
  `$JS.API.STREAM.DELETE.${bucket}`,
];
/** Only engines do this. */
const forEngines = [
  `$JS.API.STREAM.CREATE.${log}`,
  `$JS.API.STREAM.UPDATE.${log}`,
  `$JS.API.STREAM.PURGE.${log}`,
  `$JS.API.STREAM.CREATE.${subjects.logsStream}`,
  `$JS.API.STREAM.UPDATE.${subjects.logsStream}`,
  `$JS.API.STREAM.PURGE.${subjects.logsStream}`,
  `$JS.API.CONSUMER.CREATE.${log}.spy`,
  `$JS.API.CONSUMER.CREATE.${log}.spy.natchet.prod.run.>`,
  `$JS.API.STREAM.MSG.GET.${bucket}`,
  `$JS.API.DIRECT.GET.${bucket}.$KV.${subjects.bucket}.workers`,
  `$KV.${subjects.bucket}.pauses`,
  `${subjects.lease}.leader`,
  "natchet.prod.reserve.0",
  subjects.worker("w1", "assign"),
  subjects.worker("w1", "cancel"),
  subjects.leader("e1"),
  subjects.epoch,
  subjects.admission,
  "_INBOX.producer.forged",
  "_INBOX.operator.forged",
  "_INBOX.engine.forged",
];
const ofWorkers = [
  subjects.outcome("worker", "worker-w1", 1),
  subjects.outcome("worker", "worker-w1", 1, "waiter"),
  subjects.transcript("talk/x"),
];
const ofOthers = [subjects.outcome("worker", "mail-w1", 1), subjects.outcome("worker", "w1", 1, "waiter")];
const asEngine = [subjects.outcome("engine", "e7", 1), subjects.outcome("engine", "e7", 1, "waiter")];
const registering = (["register", "heartbeat", "leave"] as const).map((verb) => subjects.engine(verb));
const operating = (
  ["list", "cancel", "erase", "reschedule", "pause", "cron", "crons", "workers", "queues"] as const
).map((verb) => subjects.engine(verb));
const hearing = ["_INBOX.>", ">", subjects.runs, subjects.outcomes, subjects.transcripts, "$KV.>", "$JS.>"];
const otherInboxes = (role: Role) => roles.filter((other) => other !== role).map((other) => `_INBOX.${other}.>`);

const forbidden: Record<Role, { readonly publish: readonly string[]; readonly subscribe: readonly string[] }> = {
  producer: {
    publish: [...forNobody, ...forEngines, ...asEngine, ...ofWorkers, ...registering, ...operating],
    subscribe: [...hearing, "natchet.prod.engine.*", subjects.engine("result"), "natchet.prod.worker.*.*.*"],
  },
  operator: {
    publish: [...forNobody, ...forEngines, ...asEngine, ...ofWorkers, ...registering],
    subscribe: [...hearing, "natchet.prod.engine.*", "natchet.prod.leader.*", "natchet.prod.worker.*.*.*"],
  },
  worker: {
    publish: [...forNobody, ...forEngines, ...asEngine, ...ofOthers, ...operating],
    subscribe: [
      ...hearing,
      ...["natchet.prod.engine.*", subjects.engine("register"), "natchet.prod.worker.*.*.*"],
      ...[subjects.worker("w1", "assign"), subjects.worker("mail-w1", "ping")],
    ],
  },
  engine: { publish: forNobody, subscribe: hearing },
};

for (const role of roles) {
  test(`roles: what is not the work of ${role} is refused`, async () => {
    const { publish, subscribe } = forbidden[role];
    const denied = await withLink(role, async (link) => {
      const heard: string[] = [];
      link.onDenied(({ operation, subject }) => void heard.push(`${operation} ${subject}`));
      for (const subject of publish) link.nc.publish(subject);
      for (const subject of [...subscribe, ...otherInboxes(role)]) link.nc.subscribe(subject, { callback: () => {} });
      await link.nc.flush();
      return heard;
    });
    const wanted = [
      ...publish.map((subject) => `publish ${subject}`),
      ...[...subscribe, ...otherInboxes(role)].map((subject) => `subscription ${subject}`),
    ];
    assert.deepEqual(denied.sort(), wanted.sort());
    assert.ok(said().length > 0, "the log has what is refused");
  });
}

test("roles: without a login, or with the one of another namespace, nothing of a namespace is there", async () => {
  const stranger = { ...loginOf("engine"), user: "other_engine", password: password("other", "engine") };
  await assert.rejects(connect({ ...stranger, log: "silent" }), { _tag: "PermissionDenied" });
  await assert.rejects(connect({ url: server.url, namespace: "prod", log: "silent" }), { _tag: "NatsUnreachable" });
});

const withLink = <A>(role: Role, use: (link: NatsLink) => Promise<A>): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(connectNats(loginOf(role)), (link) => Effect.promise(() => use(link)))),
  );
