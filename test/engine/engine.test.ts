// The engine as its peers see it: a fake worker and a fake client that speak the protocol, over a real server.
import assert from "node:assert/strict";
import { Effect } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { type EngineOptions, makeEngine } from "../../src/engine/engine.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher, type Publisher } from "../../src/nats/publisher.ts";
import { RunStore } from "../../src/nats/run-store.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { newIdentity } from "../../src/runtime/worker-identity.ts";
import { type Assignment, decodeAssignments } from "../../src/wire/assignment.ts";
import { jsonBytes, jsonOf, noBytes, utf8 } from "../../src/wire/bytes.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import {
  decodeOutcomeEntry,
  encodeOutcomeEntry,
  encodeOutcomeFrame,
  type Outcome,
} from "../../src/wire/outcome-entry.ts";
import { encodeRunEntry } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene, type Scene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";
import { readRun } from "./read-run.ts";

const subjects = new Subjects("test");

/** A worker that says what the test tells it to say. */
class FakeWorker {
  readonly received: Assignment[] = [];
  /** Undefined: it does not answer at all. */
  reply: ((assignments: readonly Assignment[]) => unknown) | undefined = () => ({ epoch: 1, refused: [] });
  readonly identity = newIdentity("");
  readonly id = this.identity.id;
  readonly #link: NatsLink;
  readonly #publisher: Publisher;
  #n = 0;

  constructor(link: NatsLink, publisher: Publisher) {
    const { id } = this;
    this.#link = link;
    this.#publisher = publisher;
    link.nc.subscribe(subjects.worker(id, "assign"), {
      callback: (_error, message) => {
        const { assignments } = decodeAssignments(message.data);
        this.received.push(...assignments);
        if (this.reply !== undefined) message.respond(encodeMessage(this.reply(assignments)));
      },
    });
    link.nc.subscribe(subjects.worker(id, "ping"), {
      callback: (_error, message) => void message.respond(encodeMessage({ busy: 0 })),
    });
  }

  async register(executing: readonly unknown[] = []): Promise<{ epoch: number }> {
    const task = {
      name: "t",
      timeoutMs: 60_000,
      scheduleTimeoutMs: null,
      priority: 1,
      retries: 0,
      inputSchema: null,
      outputSchema: null,
    };
    const message = {
      v: 2,
      ...this.identity,
      name: "fake",
      slots: 2,
      labels: {},
      runtime: "test",
      version: "0",
      quiet: false,
      executing,
      tasks: [task],
    };
    return (
      await this.#link.nc.request(subjects.engine("register"), encodeMessage(message), { timeout: 5_000 })
    ).json() as { epoch: number };
  }

  async beat(): Promise<void> {
    const message = { ...this.identity, executing: [], quiet: false, lagMs: 0 };
    await this.#link.nc.request(subjects.engine("heartbeat"), encodeMessage(message), { timeout: 5_000 });
  }

  async complete({ key, turn, attempt, origin, input }: Assignment, output: unknown): Promise<void> {
    const detail = jsonBytes({ createdAt: 1, priority: 1, attempts: [] });
    const frame = encodeOutcomeFrame({
      kind: "completed",
      key,
      turn,
      attempt,
      origin,
      at: Date.now(),
      dueAt: 0,
      detail,
      input,
      output: jsonBytes(output),
    });
    await this.#publisher.append(
      subjects.outcome("worker", this.id, ++this.#n),
      encodeOutcomeEntry("worker", [frame]),
      0,
    );
  }
}

interface Stage {
  readonly scene: Scene;
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly worker: FakeWorker;
  /** Outcomes forwarded to the inbox of the entries. */
  readonly results: Outcome[];
  enqueue(id: string, input?: Uint8Array): Promise<void>;
  ask(verb: "get" | "list" | "queues" | "workers" | "cancel" | "result", request: unknown): Promise<any>;
}

const onStage = (body: (stage: Stage) => Promise<void>, options: EngineOptions = {}) =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const engine = await scene.run(makeEngine({ link, publisher, subjects, log: silentLog }, options));
    await engine.whenLeading();
    const results: Outcome[] = [];
    link.nc.subscribe("_INBOX.test", {
      callback: (_error, message) => void results.push(...decodeOutcomeEntry(message.data).outcomes),
    });
    const plain = {
      form: 0,
      priority: 0,
      createdAt: Date.now(),
      dueAt: 0,
      scheduleTimeoutMs: undefined,
      inbox: "_INBOX.test",
      extra: undefined,
    } as const;
    await body({
      scene,
      link,
      publisher,
      worker: new FakeWorker(link, publisher),
      results,
      enqueue: async (id, input = noBytes) =>
        void (await publisher.append(subjects.run("t", id), encodeRunEntry({ ...plain, input }), 0)),
      ask: async (verb, request) =>
        (await link.nc.request(subjects.engine(verb), encodeMessage(request), { timeout: 5_000 })).json(),
    });
  });

test("an entry is assigned, its outcome is forwarded to the inbox of the entry", () =>
  onStage(async ({ link, worker, enqueue, results }) => {
    await worker.register();
    await enqueue("1", jsonBytes({ n: 1 }));
    await waitFor(() => worker.received.length === 1, 20_000, "the assignment");
    const [assignment] = worker.received;
    assert.deepEqual(
      [assignment!.key, assignment!.turn, assignment!.attempt, jsonOf(assignment!.input)],
      ["t/1", 1, 1, { n: 1 }],
    );
    await worker.complete(assignment!, { ok: true });
    await waitFor(() => results.length === 1, 20_000, "the result");
    assert.deepEqual([results[0]!.kind, jsonOf(results[0]!.output)], ["completed", { ok: true }]);
    const run = (await readRun(link, subjects, "t/1"))!;
    assert.deepEqual([run.state, run.output, run.input], ["completed", { ok: true }, { n: 1 }]);
  }));

test(
  "an assignment that is not acknowledged within 2 s is lost and assigned again with the next turn",
  () =>
    onStage(async ({ worker, enqueue }) => {
      await worker.register();
      worker.reply = undefined;
      await enqueue("1");
      await waitFor(() => worker.received.length === 1, 20_000, "the first assignment");
      worker.reply = () => ({ epoch: 1, refused: [] });
      // A worker that did not acknowledge gets nothing before it shows life again.
      const isAssignedAgain = () => worker.beat().then(() => worker.received.length === 2);
      await waitFor(isAssignedAgain, 10_000, "the second assignment");
      assert.deepEqual(
        worker.received.map(({ turn, attempt }) => [turn, attempt]),
        [
          [1, 1],
          [2, 1],
        ],
      );
    }),
  30_000,
);

test("a refused run goes back to the queue on the same turn and reaches another worker", () =>
  onStage(async ({ link, publisher, worker, enqueue }) => {
    await worker.register();
    worker.reply = (assignments) => ({ epoch: 1, refused: assignments.map((_, i) => i), why: "full" });
    await enqueue("1");
    await waitFor(() => worker.received.length >= 1, 20_000, "the refusal");
    const other = new FakeWorker(link, publisher);
    await other.register();
    await waitFor(() => other.received.length === 1, 20_000, "the other worker");
    assert.equal(other.received[0]!.turn, 1);
  }));

test("inputs beyond the memory budget are read from the log and arrive intact", () =>
  onStage(
    async ({ worker, enqueue }) => {
      const input = jsonBytes("x".repeat(10_000));
      await enqueue("1", input);
      await worker.register();
      await waitFor(() => worker.received.length === 1, 20_000, "the assignment");
      assert.equal(jsonOf(worker.received[0]!.input), "x".repeat(10_000));
    },
    { scheduler: { inputBudgetBytes: 0 } },
  ));

test("a malformed entry is passed over and the fold goes on; a malformed request is answered with its error", () =>
  onStage(async ({ publisher, worker, enqueue, ask }) => {
    await worker.register();
    await publisher.append(
      subjects.run("t", "garbage"),
      utf8("not an entry at all, but long enough to look like one"),
      0,
    );
    await publisher.append(subjects.outcome("worker", "zombie", 1), utf8("rubbish"), 0);
    await enqueue("1");
    await waitFor(() => worker.received.length === 1, 20_000, "the assignment");
    const answer = await ask("get", { nothing: true });
    assert.equal(answer.error.name, "MalformedRecord");
    assert.match(answer.error.message, /malformed get request/);
  }));

test("a run created twice is one run; the first accepted outcome stands, whatever comes later", () =>
  onStage(async ({ link, worker, enqueue, results, ask }) => {
    await worker.register();
    await enqueue("1");
    await enqueue("1");
    await waitFor(() => worker.received.length === 1, 20_000, "the assignment");
    await worker.complete(worker.received[0]!, "first");
    await worker.complete(worker.received[0]!, "second");
    await waitFor(() => results.length === 1, 20_000, "the result");
    assert.equal((await readRun(link, subjects, "t/1"))?.output, "first");
    assert.equal(worker.received.length, 1);
    const { unknown, ended } = await ask("result", { keys: ["t/1", "t/unknown"], inbox: "_INBOX.test" });
    assert.deepEqual([unknown, ended.length, ended[0].key, ended[0].index], [["t/unknown"], 1, "t/1", 0]);
  }));

test("takeover: what was purged before is read over, and the log is folded once", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const frame = (n: number) => ({
      kind: "completed" as const,
      ...{ key: `t/${n}`, turn: 1, attempt: 1, origin: 1, at: n, dueAt: 0 },
      ...{ detail: noBytes, input: noBytes, output: noBytes },
    });
    for (let n = 1; n <= 4; n++)
      await publisher.append(
        subjects.outcome("worker", "w1", n),
        encodeOutcomeEntry("worker", [encodeOutcomeFrame(frame(n))]),
      );
    await new RunStore(link, subjects).purge(subjects.outcomes, 4);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const engine = await scene.run(makeEngine({ link, publisher, subjects, log }));
    await engine.whenLeading();
    assert.deepEqual(warnings, []);
  }));

test(
  "takeover: the next leader waits for the known workers and does not assign again what they execute",
  () =>
    inScene(async (scene) => {
      const link = await scene.link();
      await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
      const publisher = await scene.run(makePublisher(link));
      const first = await scene.link();
      const firstPublisher = await scene.run(makePublisher(first));
      const leader = await scene.run(makeEngine({ link: first, publisher: firstPublisher, subjects, log: silentLog }));
      await leader.whenLeading();
      await first.nc.flush(); // the server knows its subscriptions
      const worker = new FakeWorker(link, publisher);
      await worker.register();
      const entry = {
        form: 0,
        priority: 0,
        createdAt: Date.now(),
        dueAt: 0,
        scheduleTimeoutMs: undefined,
        inbox: "",
        extra: undefined,
        input: noBytes,
      } as const;
      await publisher.append(subjects.run("t", "1"), encodeRunEntry(entry), 0);
      await waitFor(() => worker.received.length === 1, 20_000, "the assignment");
      const { key, turn, origin } = worker.received[0]!;
      link.nc.subscribe(subjects.epoch, {
        callback: () => void worker.register([{ key, turn, origin, startedAt: Date.now() }]),
      });
      await first.nc.close(); // as if its process were gone: the lease is not released
      const heir = await scene.run(makeEngine({ link, publisher, subjects, log: silentLog }, { mode: "warm" }));
      const startedAt = Date.now();
      await heir.whenLeading();
      assert.ok(Date.now() - startedAt < 3_000, "before the lease runs out");
      await Effect.runPromise(Effect.sleep("2500 millis")); // longer than the hold: it would be assigned again by now
      assert.equal(worker.received.length, 1);
      await worker.complete(worker.received[0]!, "done");
      const ask = async () =>
        ((await link.nc.request(subjects.engine("get"), encodeMessage({ key }), { timeout: 5_000 })).json() as any).run
          .state;
      await waitFor(async () => (await ask()) === "completed", 20_000, "the run to be completed");
    }),
  60_000,
);
