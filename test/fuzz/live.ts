// Messages on every subject of a live namespace, real ones mutated: whatever comes, the next run is executed, also under the next leader.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { connect, type Natchet, type Running, start, Task, Worker } from "../../src/mod.ts";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { newIdentity } from "../../src/runtime/worker-identity.ts";
import { testServer } from "../../src/testing/mod.ts";
import { encodeBundle } from "../../src/wire/bundle-entry.ts";
import { jsonBytes, noBytes, textOf, utf8 } from "../../src/wire/bytes.ts";
import { encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { encodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import { protocol } from "../../src/wire/worker-messages.ts";
import type { Random } from "../support/random.ts";
import { type Fuzzer, mutate, mutateJson, without } from "./fuzzer.ts";

@Worker({ name: "steady", slots: 5 })
class Steady {
  @Task("echo", { concurrency: { key: "input.n % 2", max: 5 } })
  async echo({ n }: { n: number }) {
    return n;
  }
}

interface Message {
  /** Below `natchet.<namespace>.`, or below the bucket's `$KV.natchet_<namespace>.` with a `$` before it. */
  readonly subject: string;
  readonly bytes: Uint8Array;
}
interface Case {
  readonly messages: readonly Message[];
  /** Another leader comes afterwards. */
  readonly isTakenOver: boolean;
}

/** Batches of so many messages; a run is executed after each. */
const together = 100;

export const live: Fuzzer<Case> & { close(): Promise<void> } = {
  name: "live",
  make: (random) => ({
    messages: Array.from({ length: together }, () => messageBy(random)),
    isTakenOver: random.chance(0.1),
  }),
  check: async ({ messages, isTakenOver }) => {
    stage ??= await Stage.open();
    try {
      await stage.send(messages);
      if (isTakenOver) await stage.takeOver();
      await stage.works();
    } catch (error) {
      const { said } = stage;
      await live.close(); // the next case has a namespace of its own
      throw new Error(`${(error as Error).message}\nlog: ${said.slice(-20).join("\n")}`);
    }
  },
  size: ({ messages }) => messages.length,
  smaller: function* ({ messages, isTakenOver }) {
    for (const fewer of without(messages)) yield { messages: fewer, isTakenOver };
  },
  show: ({ messages, isTakenOver }) =>
    `${messages.map(({ subject, bytes }) => `${subject} ${JSON.stringify(textOf(bytes)).slice(0, 2_000)}`).join("\n")}\ntaken over: ${isTakenOver}`,
  close: async () => {
    const open = stage;
    stage = undefined;
    await open?.close();
  },
};

let stage: Stage | undefined;
let namespaces = 0;

class Stage {
  readonly said: string[] = [];
  readonly #namespace = `fuzz${++namespaces}`;
  readonly #scope = Effect.runSync(Scope.make());
  #server!: Awaited<ReturnType<typeof testServer>>;
  #running!: Running;
  #client!: Natchet;
  #link!: NatsLink;
  #n = 0;

  static async open(): Promise<Stage> {
    const opened = new Stage();
    opened.#server = await testServer();
    opened.#running = await opened.#start();
    opened.#client = await connect(opened.#options);
    opened.#link = await Effect.runPromise(Scope.provide(connectNats(opened.#options), opened.#scope));
    await opened.works();
    return opened;
  }

  get #options() {
    return { url: this.#server.url, namespace: this.#namespace, signals: false } as const;
  }

  #start(): Promise<Running> {
    const keep = (message: string, fields: object = {}) => {
      this.said.push(`${message} ${JSON.stringify(fields).slice(0, 500)}`);
      if (this.said.length > 1_000) this.said.splice(0, 500);
    };
    const logger = { debug: () => {}, info: () => {}, warn: keep, error: keep };
    return start(Steady, { ...this.#options, logger });
  }

  async send(messages: readonly Message[]): Promise<void> {
    const { nc } = this.#link;
    const heard = nc.subscribe("_INBOX.fuzz.>", { callback: () => {} });
    messages.forEach(({ subject, bytes }, n) => {
      const whole = subject.startsWith("$")
        ? `$KV.natchet_${this.#namespace}.${subject.slice(1)}`
        : `natchet.${this.#namespace}.${subject}`;
      nc.publish(whole, bytes, { reply: `_INBOX.fuzz.${n}` });
    });
    await nc.flush();
    heard.unsubscribe();
  }

  async works(): Promise<void> {
    const n = ++this.#n;
    assert.equal(await this.#client.task<{ n: number }, number>("echo").run({ n }, { timeout: "40s" }), n);
  }

  async takeOver(): Promise<void> {
    await this.#running.stop();
    this.#running = await this.#start();
  }

  async close(): Promise<void> {
    await this.#client.close();
    await Effect.runPromise(Scope.close(this.#scope, Exit.void));
    await this.#running.stop();
    await this.#server.stop();
  }
}

const entry: RunEntry = {
  ...{ form: 0, priority: 1, createdAt: 1e12, dueAt: 0, scheduleTimeoutMs: 60_000, inbox: "_INBOX.abc.new" },
  extra: { metadata: { a: "b" }, placement: { affinity: [], near: "w1" } },
  input: jsonBytes({ n: 0 }),
};
const state = { asOf: 1, origin: 1, turn: 1, attempt: 1, lost: 0, dueAt: 0, readyAt: 0, retrying: false, history: [] };
const frame = encodeOutcomeFrame({
  ...{ kind: "completed", key: "nobody/a", turn: 1, attempt: 1, origin: 1, at: 1e12, dueAt: 0 },
  ...{ detail: jsonBytes({ createdAt: 1, priority: 1, attempts: [] }), input: noBytes, output: utf8("1") },
});
const cron = { name: "c", expression: "0 3 * * *", timezone: "UTC", catchUp: "last" };
/** A worker that does not answer. */
const { id, secret } = newIdentity("", "s".repeat(32));
const declaration = {
  ...{
    name: "nobody",
    timeoutMs: 1,
    scheduleTimeoutMs: null,
    priority: 1,
    retries: 0,
    inputSchema: null,
    outputSchema: null,
  },
  policies: { concurrency: [{ key: "input.a", max: 1, strategy: "queue" }] },
  crons: [cron],
};
const registration = {
  ...{ v: protocol, id, secret, name: "w", slots: 5, labels: {}, runtime: "bun", version: "1", quiet: false },
  ...{ tasks: [declaration], executing: [{ key: "nobody/a", turn: 1, origin: 1, startedAt: 1 }] },
};

/** What JSON is sent where, before it is mutated. */
const said: Readonly<Record<string, unknown>> = {
  "engine.register": registration,
  "engine.heartbeat": { id, secret, executing: registration.executing, quiet: false, lagMs: 1 },
  "engine.leave": { id, secret },
  "engine.cancel": { runs: ["nobody/a"], reason: "r" },
  "engine.pause": { task: "nobody", paused: true },
  "engine.cron": { verb: "set", rule: cron, task: "nobody" },
  "engine.crons": { after: "a" },
  "engine.reschedule": { runs: ["nobody/a"], dueAt: 1, delayMs: 5 },
  "engine.result": { keys: ["nobody/a", "echo/x"], inbox: "_INBOX.abc.new" },
  "engine.get": { key: "nobody/a" },
  "engine.list": { filter: { task: "nobody", metadata: { a: "b" } }, limit: 5, before: 5 },
  "engine.signal": { key: "nobody/a", name: "go", token: "t", data: 1 },
  "engine.workers": {},
  "engine.queues": { after: "a" },
  [`worker._.${id}.cancel`]: { epoch: 1, runs: [] },
  "$rate.YQ": { id: "a", perMs: 5, uses: [{ at: 1, units: 1 }], epoch: 1 },
  "$task.nobody": declaration,
  "$cron.Yg": { ...cron, name: "b", task: "nobody", origin: "api", paused: false, lastTick: 5 },
  "$crons-of.Yg": { startedAt: 5 },
  "$on-failure.nobody": { task: "nobody", handler: "nobody", from: 1 },
  $tried: { epoch: 1, tried: [{ key: "nobody/a", turn: 1, worker: "w1" }] },
  $workers: ["w9"],
};
/** What bytes are sent where. */
const stored: readonly (readonly [subject: string, bytes: Uint8Array])[] = [
  ["run.nobody.a", encodeRunEntry(entry)],
  ["run.echo.a", encodeRunEntry(entry)],
  ["run.nobody.b", encodeRunEntry({ ...entry, form: 1, extra: { state } })],
  [
    "run.nobody.c",
    encodeRunEntry({
      ...entry,
      form: 2,
      extra: { state: { ...state, kind: "failed", seq: 1, index: 0, at: 1 } as never },
    }),
  ],
  ["run.nobody.bundle.b1", encodeBundle({ ...entry, form: 3 }, ["x", "y"], [utf8("1"), utf8("2")])],
  [`done.worker._.${id}.1`, encodeOutcomeEntry("worker", [frame, frame])],
  ["done.w9.1", encodeOutcomeEntry("engine", [frame])],
  ["signal.nobody.a.go.t", utf8("1")],
  ["log.nobody.a", utf8("hello")],
  [`worker._.${id}.assign`, utf8("hello")],
];
const subjects = Object.keys(said);

function messageBy(random: Random): Message {
  if (random.chance(0.5)) {
    const subject = random.pick(subjects);
    const bytes = random.chance(0.9) ? jsonBytes(mutateJson(random, said[subject])) : random.bytes(40);
    return { subject, bytes };
  }
  const [subject, bytes] = random.pick(stored);
  // Of a subject the log keeps one: others make another run.
  const place = random.chance(0.1)
    ? `${subject}.${random.whole(0, 99)}`
    : subject.replace(/[a-z0-9]$/, `$&${random.whole(0, 999)}`);
  return { subject: place, bytes: mutate(random, bytes) };
}
