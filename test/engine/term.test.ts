// What the engine itself writes, on a real server: stored in spite of trouble, and a fault that ends a term but not the engine.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { QueueFull, StoreUnavailable } from "../../src/domain/errors.ts";
import { type Log, silentLog } from "../../src/domain/log.ts";
import { Appender } from "../../src/engine/appender.ts";
import { makeEngine } from "../../src/engine/engine.ts";
import type { Payloads } from "../../src/engine/payloads.ts";
import { createRun } from "../../src/engine/reacting.ts";
import { Bucket } from "../../src/leader/bucket.ts";
import type { Leader } from "../../src/leader/leader.ts";
import { openTerm, Term } from "../../src/leader/term.ts";
import type { EngineOutcome } from "../../src/matching/commands.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher, type Publisher } from "../../src/nats/publisher.ts";
import { RecordStore } from "../../src/nats/record-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { newIdentity } from "../../src/runtime/worker-identity.ts";
import { decodeAssignments } from "../../src/wire/assignment.ts";
import { jsonBytes } from "../../src/wire/bytes.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import { Neighbours } from "../../src/wire/neighbours.ts";
import { decodeOutcomeEntry } from "../../src/wire/outcome-entry.ts";
import { encodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import type { FinalDetail } from "../../src/wire/story.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { declarationOf } from "../scheduler/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const identity = newIdentity("");
const subjects = new Subjects("test");
const entry = (scheduleTimeoutMs: number | null): RunEntry => ({
  ...{ form: 0, priority: 0, createdAt: Date.now(), dueAt: 0, scheduleTimeoutMs, inbox: "", extra: undefined },
  input: jsonBytes("input"),
});

interface Stage {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  ask(verb: "get" | "register" | "leave" | "cancel", request: unknown): Promise<any>;
  startEngine(publisher: Publisher, log?: Log, neighbours?: Neighbours, by?: NatsLink): ReturnType<typeof start>;
}

async function start(link: NatsLink, publisher: Publisher, log: Log, neighbours: Neighbours) {
  const scope = await Effect.runPromise(Scope.make());
  const made = makeEngine({ link, publisher, subjects, log, neighbours }, { scheduler: { inputBudgetBytes: 0 } });
  const engine = await Effect.runPromise(Scope.provide(made, scope));
  await engine.whenLeading();
  return { engine, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) };
}

const onStage = (body: (stage: Stage) => Promise<void>) =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const ask: Stage["ask"] = async (verb, request) =>
      (await link.nc.request(subjects.engine(verb), encodeMessage(request), { timeout: 5_000 })).json();
    const startEngine: Stage["startEngine"] = (through, log = silentLog, neighbours = new Neighbours(), by = link) =>
      start(by, through, log, neighbours);
    await body({ link, publisher, ask, startEngine });
  });

/** Refuses the first outcomes that the engine appends, as a full store does. */
function refusing(publisher: Publisher, times: number): Publisher {
  let left = times;
  return Object.assign(Object.create(publisher), {
    append: ((subject, ...rest) => {
      const isRefused = subject.startsWith("natchet.test.done.engine.") && left-- > 0;
      const full = new QueueFull({ namespace: "test", reason: "the disk is full" });
      return isRefused ? Promise.reject(full) : publisher.append(subject, ...rest);
    }) satisfies Publisher["append"],
  });
}

test("an outcome that does not fit into an entry gets leaner until it does, and one that cannot be written down goes bare", async () => {
  const entries: Uint8Array[] = [];
  const publisher = { append: async (_: string, data: Uint8Array) => ({ ok: true, seq: entries.push(data) }) };
  const payloads = { read: async () => new Uint8Array(6_000) };
  const log = silentLog;
  const leader = { publisher, subjects, log, link: { maxPayload: 8_192 }, holdsLease: () => true };
  const appender = new Appender(leader as unknown as Leader, payloads as unknown as Payloads);
  const attempt = { attempt: 1, turn: 1, worker: "w", startedAt: 1, endedAt: 2, outcome: "retry" } as const;
  const error = { name: "E", message: "m".repeat(300), stack: "s".repeat(1_000) };
  const story = (attempts: unknown[]) => ({
    createdAt: 1,
    priority: 1,
    attempts,
    error: { name: "Last", message: "!" },
  });
  const outcome = (id: string, detail: unknown) =>
    ({
      ...{ kind: "failed", key: `t/${id}`, turn: 2, attempt: 1, origin: 5, at: 3, dueAt: 0 },
      ...{ detail, inbox: "", inputSeq: 5 },
    }) as EngineOutcome;
  const outcomes = [
    outcome("long", story(Array.from({ length: 2_000 }, () => ({ ...attempt, error })))),
    outcome("strange", { ...story([]), metadata: 1n }),
    outcome("small", story([attempt])),
  ];
  await Effect.runPromise(
    Effect.scoped(
      Effect.andThen(openTerm(7, silentLog), (term) => Effect.promise(() => appender.append(term, outcomes))),
    ),
  );
  assert.ok(entries.every((data) => data.length < 8_192));
  const stored = entries.flatMap((data) => decodeOutcomeEntry(data).outcomes);
  assert.deepEqual(
    stored.map(({ key, input, detail }) => [key, input.length, (detail as FinalDetail).error!.name]),
    [
      ["t/long", 6_000, "Last"],
      ["t/strange", 6_000, "Last"],
      ["t/small", 6_000, "Last"],
    ],
  );
});

test("outcomes of the engine that the store refuses are appended until it takes them, one whose input is gone without it", () =>
  onStage(async ({ link, publisher, ask, startEngine }) => {
    for (const id of ["a", "b"]) await publisher.append(subjects.run("t", id), encodeRunEntry(entry(1)), 0);
    const stored = await publisher.append(subjects.run("t", "gone"), encodeRunEntry(entry(1_000)), 0);
    assert.ok(stored.ok);
    const { stop } = await startEngine(refusing(publisher, 3));
    await link.nc.request(`$JS.API.STREAM.MSG.DELETE.${subjects.stream}`, JSON.stringify({ seq: stored.seq }));
    for (const id of ["a", "b", "gone"]) {
      const isCancelled = async () => (await ask("get", { key: `t/${id}` })).run?.state === "cancelled";
      await waitFor(isCancelled, 10_000, `${id} to be cancelled`);
    }
    await stop();
  }));

test("an engine that leaves stores who has left before it, so that the next one does not wait for them", () =>
  onStage(async ({ link, publisher, ask, startEngine }) => {
    const bucket = new Bucket(
      new RecordStore(link, subjects),
      silentLog,
      () => new Term(0, silentLog),
      () => true,
    );
    const known = async () => (await bucket.read()).known;
    const { stop } = await startEngine(publisher);
    const about = { v: 2, ...identity, name: "w", slots: 5, labels: {}, runtime: "r", version: "1", quiet: false };
    await ask("register", { ...about, tasks: [declarationOf("t")], executing: [] });
    const isStored = async () => (await known()).knownWorkers.includes(identity.id);
    await waitFor(isStored, 10_000, "the worker to be known");
    await ask("leave", identity);
    await stop();
    assert.deepEqual(await known(), { knownWorkers: [], details: new Map() });
  }));

test("a run whose entry was deleted fails, and the others of its batch reach their worker", () =>
  onStage(async ({ link, publisher, ask, startEngine }) => {
    const seqs: number[] = [];
    for (const id of ["gone", "here"]) {
      const stored = await publisher.append(subjects.run("t", id), encodeRunEntry(entry(null)), 0);
      if (stored.ok) seqs.push(stored.seq);
    }
    const { stop } = await startEngine(publisher);
    await link.nc.request(`$JS.API.STREAM.MSG.DELETE.${subjects.stream}`, JSON.stringify({ seq: seqs[0] }));
    const assigned: string[] = [];
    link.nc.subscribe(subjects.worker(identity.id, "assign"), {
      callback: (_, message) => {
        const { epoch, assignments } = decodeAssignments(message.data);
        assigned.push(...assignments.map(({ key }) => key));
        message.respond(jsonBytes({ epoch, refused: [] }));
      },
    });
    const about = { v: 2, ...identity, name: "w", slots: 5, labels: {}, runtime: "r", version: "1", quiet: false };
    await ask("register", { ...about, tasks: [declarationOf("t")], executing: [] });
    const isFailed = async () => (await ask("get", { key: "t/gone" })).run?.state === "failed";
    await waitFor(isFailed, 10_000, "the run without an entry to fail");
    assert.deepEqual(assigned, ["t/here"]);
    await stop();
  }));

test("a fault of the scheduler is told, and the engine folds the log anew before it leads again", () =>
  onStage(async ({ publisher, ask, startEngine }) => {
    await publisher.append(subjects.run("t", "a"), encodeRunEntry(entry(null)), 0);
    const told: object[] = [];
    const neighbours = new Neighbours();
    const log = { ...silentLog, error: (message: string, fields?: object) => void told.push({ message, ...fields }) };
    const { engine, stop } = await startEngine(publisher, log, neighbours);
    const about = { v: 2, ...identity, name: "w", slots: 1, labels: {}, runtime: "r", version: "1", quiet: true };
    await ask("register", { ...about, tasks: [declarationOf("t")], executing: [] });
    const { epoch } = engine;
    neighbours.onEnded!(identity.id, null as never);
    assert.match((told[0] as { message: string }).message, /a bug in natchet/);
    assert.equal(engine.state, "standby");
    await waitFor(() => engine.state === "leading", 20_000, "the engine to lead again");
    assert.ok(engine.epoch > epoch);
    assert.equal((await ask("get", { key: "t/a" })).run.state, "queued");
    await stop();
  }));

/** Like `target`, but for some of its methods. */
function overriding<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (name in methods) return methods[name as keyof T];
      const value = target[name as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("an engine that cannot take over says so, again and again, and leads as soon as it can", () =>
  onStage(async ({ link, publisher, startEngine }) => {
    const told: string[] = [];
    const log = { ...silentLog, error: (message: string) => void told.push(message) };
    const trouble = { isOver: false, measured: 0, failures: 1 };
    const publish: NatsLink["nc"]["publish"] = (...args) => {
      if (args[0] === subjects.epoch && trouble.failures-- > 0) throw new Error("a fault at the first word");
      link.nc.publish(...args);
    };
    const measure = () => {
      const isFine = trouble.isOver || ++trouble.measured === 1;
      return isFine ? link.clock.measure() : Promise.reject(new Error("nobody answers"));
    };
    const nc = overriding(link.nc, { publish });
    const faulty = overriding(link, { nc, clock: overriding(link.clock, { measure }) });
    const starting = startEngine(publisher, log, new Neighbours(), faulty);
    await waitFor(() => told.length === 1, 20_000, "the engine to say that it cannot take over");
    trouble.isOver = true;
    const { engine, stop } = await starting;
    assert.equal(engine.state, "leading");
    assert.deepEqual(told, [
      "this engine holds the lease and cannot take over yet; retrying",
      "this engine cannot lead; it gives up its lease and tries again",
    ]);
    await stop();
  }));

test("an engine that was stopped for longer than its lease appends nothing before it has claimed it again", () =>
  onStage(async ({ publisher, ask, startEngine }) => {
    for (const id of ["a", "b"]) await publisher.append(subjects.run("t", id), encodeRunEntry(entry(null)), 0);
    const writers: string[] = [];
    const heard: Publisher = Object.assign(Object.create(publisher), {
      append: ((subject, data, expect, { witness, maySend = () => true } = {}) => {
        const isHeard = () => {
          const isSent = maySend();
          if (isSent && subject.startsWith("natchet.test.done.engine.")) writers.push(subject.split(".")[5]!);
          return isSent;
        };
        return publisher.append(subject, data, expect, { witness, maySend: isHeard });
      }) satisfies Publisher["append"],
    });
    const { engine, stop } = await startEngine(heard);
    const { epoch } = engine;
    const cancel = (id: string) => ask("cancel", { runs: [`t/${id}`], reason: "test" });
    assert.deepEqual((await cancel("a")).cancelled, ["t/a"]);
    assert.deepEqual(writers, [`e${epoch}`]);
    const now = performance.now.bind(performance);
    performance.now = () => now() + 20_000; // it wakes up, and does not know yet that it was stopped
    try {
      const refused = cancel("b").catch((error: Error) => ({ error }));
      await waitFor(() => engine.epoch > epoch, 30_000, "the engine to lead again");
      assert.ok((await refused).error !== undefined);
      assert.deepEqual(writers, [`e${epoch}`]);
      await waitFor(() => engine.state === "leading", 20_000, "the engine to answer again");
      assert.deepEqual((await cancel("b")).cancelled, ["t/b"]);
      assert.deepEqual(writers, [`e${epoch}`, `e${engine.epoch}`]);
      await stop();
    } finally {
      performance.now = now;
    }
  }));

test("the run of a reaction is not sent without the lease: the next leader may have created it, and forgotten it by now", () =>
  onStage(async ({ publisher }) => {
    let isHeld = false;
    const leader = { publisher, subjects, log: silentLog, now: Date.now, holdsLease: () => isHeld };
    const cause = { type: "tick" as const, cron: "nightly", at: 0, input: {} };
    const create = () => createRun(leader as unknown as Leader, { task: "t", id: "nightly:0", cause });
    await assert.rejects(create(), StoreUnavailable);
    isHeld = true;
    await create();
    const second = await publisher.append(subjects.run("t", "nightly:0"), encodeRunEntry(entry(null)), 0);
    assert.deepEqual(second, { ok: false, conflict: true, lastSeq: 1 });
  }));

test("a term tries what is to be stored until it is, and lets go of it when it ends or nobody wants it", async () => {
  const told: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void told.push(message) };
  const full = new QueueFull({ namespace: "test", reason: "the disk is full" });
  const scope = await Effect.runPromise(Scope.make());
  const term = await Effect.runPromise(Scope.provide(openTerm(7, log), scope));
  let tries = 0;
  const third = async () => {
    if (++tries < 3) throw full;
    return tries;
  };
  assert.equal(await term.untilStored("something", third), 3);
  assert.deepEqual(told, ["something could not be stored yet; retrying"]);
  await assert.rejects(
    term.untilStored("something else", () => Promise.reject(new TypeError("never"))),
    /never/,
  );
  let isWanted = true;
  const refused = () => {
    isWanted = false;
    return Promise.reject(full);
  };
  assert.equal(await term.untilStored("nothing", refused, () => isWanted), undefined);
  const stuck = term.untilStored("what is refused for ever", () => Promise.reject(full));
  await Effect.runPromise(Scope.close(scope, Exit.void));
  assert.equal(await stuck, undefined);
  assert.equal(term.isCurrent, false);
  assert.equal(await term.untilStored("too late", third), undefined);
});

test("an engine follows the log until what was opened after it in its scope has closed, though it began to follow later", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const scope = await Effect.runPromise(Scope.make());
    let seen = false;
    const opened = Effect.gen(function* () {
      const engine = yield* makeEngine({ link, publisher, subjects, log: silentLog });
      // As a worker would drain, which was started before this engine leads.
      yield* Effect.addFinalizer(() =>
        Effect.promise(async () => {
          await publisher.append(subjects.run("t", "last"), encodeRunEntry(entry(null)), 0);
          await waitFor(() => engine.queues()?.some(({ queued }) => queued === 1) === true, 20_000, "the last entry");
          seen = true;
        }),
      );
      return engine;
    });
    const engine = await Effect.runPromise(Scope.provide(opened, scope));
    await engine.whenLeading();
    await Effect.runPromise(Scope.close(scope, Exit.void));
    assert.equal(seen, true);
  }));
