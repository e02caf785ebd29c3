// Durable runs over a real server: a fake worker parks them, and the engine wakes them with what has come.
import assert from "node:assert/strict";
import type { Parked, Resume, Wait } from "../../src/domain/durable.ts";
import { silentLog } from "../../src/domain/log.ts";
import { makeEngine } from "../../src/engine/engine.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { makePublisher, type Publisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { newIdentity } from "../../src/runtime/worker-identity.ts";
import { type Assignment, assignmentExtraOf, decodeAssignments } from "../../src/wire/assignment.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { encodeParked } from "../../src/wire/parked.ts";
import { encodeRunEntry } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const subjects = new Subjects("test");
const identity = newIdentity("");
const worker = identity.id;

class FakeWorker {
  readonly received: Assignment[] = [];
  readonly #link: NatsLink;
  readonly #publisher: Publisher;
  #n = 0;

  constructor(link: NatsLink, publisher: Publisher) {
    this.#link = link;
    this.#publisher = publisher;
    link.nc.subscribe(subjects.worker(worker, "assign"), {
      callback: (_error, message) => {
        this.received.push(...decodeAssignments(message.data).assignments);
        message.respond(encodeMessage({ epoch: 1, refused: [] }));
      },
    });
    link.nc.subscribe(subjects.worker(worker, "ping"), {
      callback: (_error, message) => void message.respond(encodeMessage({ busy: 0 })),
    });
  }
  async register(): Promise<void> {
    const durable = { version: 1, code: "c", deadlineMs: null };
    const plain = { timeoutMs: 60_000, scheduleTimeoutMs: null, priority: 1, retries: 0 };
    const task = { name: "flow", ...plain, inputSchema: null, outputSchema: null, durable };
    const said = { v: 2, ...identity, name: "fake", slots: 2, labels: {}, runtime: "test", version: "0" };
    await this.ask("register", { ...said, quiet: false, executing: [], tasks: [task] });
  }
  async ask(verb: "register" | "signal" | "get" | "cancel", request: unknown): Promise<any> {
    return (await this.#link.nc.request(subjects.engine(verb), encodeMessage(request), { timeout: 5_000 })).json();
  }
  async create(id: string): Promise<void> {
    const times = { createdAt: Date.now(), dueAt: 0, scheduleTimeoutMs: undefined };
    const entry = { form: 0 as const, priority: 0, ...times, inbox: "", extra: undefined, input: noBytes };
    await this.#publisher.append(subjects.run("flow", id), encodeRunEntry(entry), 0);
  }
  async park(assignment: Assignment, waits: readonly Wait[], cursors: Parked["cursors"] = {}): Promise<void> {
    const parked = { lap: 1, ops: waits.length, waits, cursors, journalSeq: 1 };
    await this.report(assignment, "parked", encodeParked(parked));
  }
  async report({ key, turn, attempt, origin }: Assignment, kind: "parked" | "completed", detail: Uint8Array) {
    const frame = {
      kind,
      key,
      turn,
      attempt,
      origin,
      at: Date.now(),
      dueAt: 0,
      detail,
      input: noBytes,
      output: noBytes,
    };
    const entry = encodeOutcomeEntry("worker", [encodeOutcomeFrame(frame)]);
    await this.#publisher.append(subjects.outcome("worker", worker, ++this.#n), entry, 0);
  }
  /** The n-th assignment, and what came with it. */
  async given(n: number): Promise<{ readonly assignment: Assignment; readonly resume: Resume | undefined }> {
    await waitFor(() => this.received.length >= n, 10_000, `assignment ${n}`);
    const assignment = this.received[n - 1]!;
    return { assignment, resume: assignmentExtraOf(assignment)?.resume };
  }
}

test("a durable run is parked, and woken by its timer, its signals and a wish to cancel", () =>
  inScene(async (scene) => {
    const link = await scene.link();
    await scene.run(ensureStreams(link, subjects, { replicas: 1 }));
    const publisher = await scene.run(makePublisher(link));
    const engine = await scene.run(makeEngine({ link, publisher, subjects, log: silentLog }));
    await engine.whenLeading();
    const fake = new FakeWorker(link, publisher);
    const isIn = (state: string) => async () => (await fake.ask("get", { key: "flow/a" })).run.state === state;
    await fake.create("a");
    const early = await fake.ask("signal", { key: "flow/a", name: "early", token: "zero", data: 1 });
    assert.equal(typeof early.seq, "number", "whether its task is durable is not known yet");
    await fake.register();
    const first = await fake.given(1);
    assert.equal(first.resume, undefined);
    const deadline = Date.now() + 30;
    await fake.park(first.assignment, [{ kind: "timer", ordinal: 0, deadline }]);
    const second = await fake.given(2);
    assert.deepEqual(
      second.resume?.offers.map(({ kind, time }) => [kind, time]),
      [["timer", deadline]],
    );
    assert.equal(second.resume?.parked?.journalSeq, 1);

    await fake.park(second.assignment, [{ kind: "signal", ordinal: 0, name: "approve" }]);
    await waitFor(isIn("waiting"), 20_000, "the run to wait");
    const { run } = await fake.ask("get", { key: "flow/a" });
    assert.deepEqual(run.waiting, { for: "a signal", because: 'for the signal "approve"' });
    const sent = { key: "flow/a", name: "approve", token: "one", data: { ok: true } };
    const { seq } = await fake.ask("signal", sent);
    assert.deepEqual(await fake.ask("signal", sent), { seq }, "stored once under its token");
    const third = await fake.given(3);
    const [offer] = third.resume!.offers;
    assert.deepEqual([offer?.sequence, offer?.kind === "signal" && offer.data], [seq, { ok: true }]);

    await fake.park(third.assignment, [{ kind: "signal", ordinal: 0, name: "approve" }], { approve: seq });
    assert.deepEqual((await fake.ask("cancel", { runs: ["flow/a"], reason: "enough" })).stopping, ["flow/a"]);
    const fourth = await fake.given(4);
    assert.deepEqual(
      fourth.resume?.offers.map((one) => one.kind === "cancel" && one.reason),
      ["enough"],
    );

    assert.deepEqual(await fake.ask("signal", { ...sent, key: "flow/unknown" }), { refused: "unknown" });
    const tooLarge = await fake.ask("signal", { ...sent, token: "two", data: "x".repeat(400_000) });
    assert.match(tooLarge.error.message, /signal "approve" to flow\/a is 400002 bytes/);
    await fake.report(fourth.assignment, "completed", noBytes);
    await waitFor(isIn("completed"), 20_000, "its end");
    assert.deepEqual(await fake.ask("signal", { ...sent, token: "three" }), { refused: "finished" });
    assert.equal((await fake.ask("signal", { ...sent, name: "$cancel" })).error.name, "MalformedRecord");
  }));
