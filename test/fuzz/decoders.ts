// Bytes and texts into everything that reads what others wrote: read, or refused by an error of ours, in no time.
import assert from "node:assert/strict";
import { asCel } from "../../src/domain/cel-numbers.ts";
import { parseCron } from "../../src/domain/cron.ts";
import { childIdOf, childPlaceOf } from "../../src/domain/durable.ts";
import { parseDuration } from "../../src/domain/duration.ts";
import { MalformedRecord } from "../../src/domain/errors.ts";
import { parseKey } from "../../src/domain/key-expression.ts";
import { printable } from "../../src/domain/printable.ts";
import { decodeRunId, encodeRunId } from "../../src/domain/run-id.ts";
import { toText } from "../../src/domain/thrown.ts";
import { parseAddresses } from "../../src/nats/address.ts";
import { assignmentExtraOf, decodeAssignments, encodeAssignments } from "../../src/wire/assignment.ts";
import { encodeBundle, isBundle, runsOfBundle } from "../../src/wire/bundle-entry.ts";
import { jsonBytes, jsonOf, noBytes, textOf, utf8 } from "../../src/wire/bytes.ts";
import { decodeJournalMessage, encodeJournalMessage } from "../../src/wire/journal-message.ts";
import { isShallow } from "../../src/wire/json-depth.ts";
import { placeAtCursor } from "../../src/wire/list-cursor.ts";
import { decodeOutcomeEntry, encodeOutcomeEntry, encodeOutcomeFrame } from "../../src/wire/outcome-entry.ts";
import { decodeParked } from "../../src/wire/parked.ts";
import * as records from "../../src/wire/records.ts";
import { assertRegistration, isDeclaredTask } from "../../src/wire/registration.ts";
import { decodeRunEntry, encodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { decodeTranscript, encodeTranscript, lineUtterance } from "../../src/wire/transcript-entry.ts";
import { decodeEnded, decodeRequest, type EngineVerb } from "../../src/wire/verbs.ts";
import {
  decodeCancelOnWorker,
  decodeHeartbeatReply,
  decodePing,
  decodeRegistered,
  protocol,
} from "../../src/wire/worker-messages.ts";
import type { Random } from "../support/random.ts";
import { type Fuzzer, mutate, mutateJson, oddNames, without } from "./fuzzer.ts";

const subjects = new Subjects("prod");

interface Reader {
  readonly samples: readonly Uint8Array[];
  read(bytes: Uint8Array): unknown;
  /** Beside MalformedRecord: errors with a sentence of ours. */
  readonly refuses?: boolean;
}

const entry: RunEntry = {
  ...{ form: 0, priority: 3, createdAt: 1e12, dueAt: 1e12 + 5, scheduleTimeoutMs: 5_000, inbox: "_INBOX.a.new" },
  extra: { metadata: { a: "b" }, placement: { near: "w1" } },
  input: utf8('{"a":1}'),
};
const live = { asOf: 5, origin: 3, turn: 2, attempt: 2, lost: 1, dueAt: 0, readyAt: 9, retrying: true, history: [] };
const ended = { asOf: 5, origin: 3, kind: "failed", seq: 4, index: 0, at: 7 } as const;
const frame = encodeOutcomeFrame({
  ...{ kind: "failed", key: "mail/a", turn: 1, attempt: 1, origin: 3, at: 1e12, dueAt: 0 },
  detail: jsonBytes({ createdAt: 1, priority: 1, attempts: [], error: { name: "E", message: "m" } }),
  ...{ input: utf8("1"), output: noBytes },
});
const declaration = {
  ...{
    name: "mail",
    timeoutMs: 1,
    scheduleTimeoutMs: null,
    priority: 1,
    retries: 0,
    inputSchema: null,
    outputSchema: null,
  },
  policies: {
    concurrency: [{ key: "input.a", max: 1, strategy: "queue" }],
    rateLimits: [{ key: "openai", limit: 5, perMs: 1_000, units: "input.n" }],
    affinity: [{ label: "gpu", value: "a100", comparator: "=", required: true, weight: 1 }],
    batch: { size: 5, intervalMs: 10, bytes: null, key: "input.m" },
  },
  crons: [{ name: "c", expression: "0 3 * * *", timezone: "UTC", catchUp: "last", input: [1] }],
};
const held = [{ key: "mail/a", turn: 1, origin: 3, startedAt: 6 }];
const registration = {
  ...{ v: protocol, id: "w1", name: "w", slots: 5, labels: { region: "eu" }, runtime: "bun", version: "1" },
  ...{ quiet: false, tasks: [declaration], executing: held },
};
const cron = { name: "c", expression: "0 3 * * *", timezone: "UTC", catchUp: "last" };
const line = lineUtterance(1e12, "info", "hello", utf8("{}"));
const said = { origin: 3, turn: 1, attempt: 1, writer: 7, first: 0, lines: 1, progress: undefined };

const delivery = {
  kind: "step",
  form: "value",
  ordinal: 1,
  time: 1e12,
  sequence: 0,
  hash: 7,
  name: "pay",
  value: "1",
} as const;
const journal = {
  ...{ turn: 1, attempt: 1, number: 1, time: 1e12, begins: true, starts: true, deliveries: [delivery, delivery] },
  lap: { lap: 1, input: "1", cursors: { go: 5 } },
};

const text = (read: (text: string) => unknown, ...samples: string[]): Reader => ({
  samples: samples.map(utf8),
  read: (bytes) => read(textOf(bytes)),
  refuses: true,
});
const json = (read: (bytes: Uint8Array) => unknown, ...samples: unknown[]): Reader => ({
  samples: samples.map(jsonBytes),
  read,
  refuses: true,
});

/** A sample for each verb. */
const asked = {
  heartbeat: { id: "w1", executing: held, quiet: false, lagMs: 1 },
  leave: { id: "w1" },
  cancel: { runs: ["mail/a"], reason: "r" },
  result: { keys: ["mail/a"], inbox: "_INBOX.a" },
  signal: { key: "mail/a", name: "go", token: "t", data: { a: 1 } },
  erase: { runs: ["mail/a"] },
  get: { key: "mail/a" },
  reschedule: { runs: ["mail/a"], dueAt: 1, delayMs: 5 },
  pause: { task: "mail", paused: true },
  cron: { verb: "set", rule: cron, task: "mail" },
  crons: { after: "a" },
  workers: { after: "a" },
  queues: {},
  list: { filter: { task: "mail", state: ["queued"] }, limit: 5, cursor: "5_7" },
} satisfies { readonly [V in Exclude<EngineVerb, "register">]: object };

const stop = { kind: "cancel", key: "mail/a", origin: 3, turn: 1, reason: "r" };

const readers: Readonly<Record<string, Reader>> = {
  "run entry": {
    samples: [
      encodeRunEntry(entry),
      encodeRunEntry({ ...entry, form: 1, extra: { state: live } }),
      encodeRunEntry({ ...entry, form: 2, extra: { state: ended } }),
      encodeBundle({ ...entry, form: 3 }, ["a", "b"], [utf8("1"), utf8("22")]),
    ],
    read: readEntry,
  },
  "outcome entry": {
    samples: [encodeOutcomeEntry("worker", [frame, frame]), encodeOutcomeEntry("engine", [frame])],
    read: (bytes) => decodeOutcomeEntry(bytes, "w1").outcomes.map((o) => [o.detail, o.input, o.output, o.result]),
  },
  assignments: {
    samples: [encodeAssignments({ epoch: 5, assignments: [assignmentOf(), assignmentOf()] })],
    read: (bytes) => decodeAssignments(bytes).assignments.map((one) => assignmentExtraOf(one)),
  },
  transcript: { samples: [encodeTranscript(said, [line, line])], read: decodeTranscript },
  journal: { samples: [encodeJournalMessage(journal)], read: decodeJournalMessage },
  "signal subject": text((subject) => subjects.parseSignal(subject), subjects.signal("mail/a", "go", "t")),
  "child id": text((id) => childPlaceOf(id), childIdOf({ origin: 5, lap: 1, ordinal: 2, place: 3 })),
  parked: json(decodeParked, {
    lap: 1,
    ops: 1,
    waits: [{ kind: "timer", ordinal: 0, deadline: 5 }],
    cursors: {},
    journalSeq: 1,
  }),
  "run subject": text((subject) => subjects.parseRun(subject), subjects.run("mail", "a b"), subjects.run("mail", "a")),
  "bundle subject": text((subject) => subjects.parseBundle(subject), subjects.bundle("mail", "b1")),
  "outcome subject": text(
    (s) => subjects.parseOutcome(s),
    subjects.outcome("worker", "w1", 3, "abc"),
    "natchet.prod.done.e7.1",
  ),
  "run id": text((token) => assert.equal(encodeRunId(decodeRunId(token)), token), "a", "=20", "order-42"),
  registration: json((bytes) => assertRegistration(decodeRequest("register", bytes)), registration),
  ...Object.fromEntries(
    Object.entries(asked).map(([verb, sample]) => [
      verb,
      json((bytes) => decodeRequest(verb as EngineVerb, bytes), sample),
    ]),
  ),
  "register reply": json(decodeRegistered, { epoch: 5, engine: "e", cancel: [stop], clock: 1 }),
  "heartbeat reply": json(decodeHeartbeatReply, { epoch: 5, known: true, cancel: [] }),
  ping: json(decodePing, { epoch: 5, engine: "e" }),
  "cancel message": json(decodeCancelOnWorker, { epoch: 5, runs: [stop], n: 1, proof: "p" }),
  "ended runs": json(decodeEnded, { ended: [{ key: "mail/a", seq: 1, index: 0 }] }),
  records: json(
    (bytes) => Object.values(records).map((is) => is(jsonOf(bytes))),
    { namespace: false, tasks: ["a"], workers: [], resumedAt: { a: 1 } },
    { id: "a", perMs: 5, uses: [{ at: 1, units: 1 }], epoch: 1 },
    { ...cron, task: "mail", origin: "api", paused: false, lastTick: 5, firing: { by: "x", ticks: [1] } },
    { epoch: 1, tried: [{ key: "mail/a", turn: 1, worker: "w1" }], cautious: { upTo: 1, left: 1 } },
    ["w1"],
  ),
  "task record": json((bytes) => isDeclaredTask(jsonOf(bytes)), declaration),
  cursor: text(placeAtCursor, "5_7"),
  duration: text((given) => parseDuration(given, "d"), "1h30m", "500ms"),
  schedule: text((given) => parseCron(given, "mail", {}, "cron"), "0 3 * * *", "*/5 * * * * *", "0 0 1-7 * 1#1"),
  key: text(
    (given) => parseKey(given, "key").evaluate({ input: { a: "x", n: 5, l: [1, 2] }, metadata: { t: "y" }, bytes: 40 }),
    'input.a + "/" + metadata.t',
    "input.n % 3",
    'input.l.exists(x, x == 2) ? "a" : "b"',
    'input["a"].startsWith("x") && has(input.b) ? string(input.n) : "z"',
  ),
  address: text(parseAddresses, "nats://user:pass@host:4222,host2", "tls://[::1]:4222"),
  printable: text((given) => assert.doesNotMatch(printable(given), /\p{Cc}/u), "a\u001b[31mb\n"),
  "json depth": json((bytes) => isShallow(bytes) && asCel(jsonOf(bytes)), { a: [[{ b: 1 }]] }),
};

function readEntry(bytes: Uint8Array): void {
  const read = decodeRunEntry(bytes);
  if (isBundle(read))
    for (const { entry: member } of runsOfBundle(read)) assert.ok(member.input.length <= bytes.length);
  else assert.deepEqual(decodeRunEntry(encodeRunEntry(read)), read, "it is written as it was read");
}

function assignmentOf() {
  const times = { turn: 1, attempt: 1, origin: 3, createdAt: 1e12 };
  const extra = jsonBytes({ metadata: { a: "b" }, history: [] });
  return { key: "mail/a", priority: 1, ...times, waiter: "abc", follows: false, extra, input: utf8("1") };
}

interface Case {
  readonly reader: string;
  readonly bytes: Uint8Array;
}
const names = Object.keys(readers);
const slowMs = 2_000;

export const decoders: Fuzzer<Case> = {
  name: "decoders",
  make: (random) => {
    const reader = random.pick(names);
    return { reader, bytes: bytesFor(random, readers[reader]!.samples) };
  },
  check: ({ reader, bytes }) => {
    const { read, refuses = false } = readers[reader]!;
    const startedAt = performance.now();
    try {
      read(bytes);
    } catch (error) {
      const isOurs = error instanceof MalformedRecord || (refuses && isSentence(error));
      if (!isOurs) throw error;
    }
    assert.ok(performance.now() - startedAt < slowMs, "it takes too long");
    assert.deepEqual(Object.keys(Object.prototype), [], "a prototype was polluted");
  },
  smaller: function* ({ reader, bytes }) {
    for (const fewer of without([...bytes])) yield { reader, bytes: Uint8Array.from(fewer) };
  },
  show: ({ reader, bytes }) => `${reader} of ${JSON.stringify(textOf(bytes))} [${bytes.join()}]`,
};

function bytesFor(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  if (samples.length === 0 || random.chance(0.1)) return random.bytes(120);
  const sample = random.pick(samples);
  if (sample[0] === 0x7b || sample[0] === 0x5b) return jsonBytes(mutateJson(random, jsonOf(sample)));
  if (random.chance(0.05)) return utf8(textOf(sample).replace(/[a-z]+/, random.pick(oddNames)));
  return mutate(random, sample);
}

/** Declarations are refused by a TypeError, RangeError or Error that begins with where, and says what is wrong. */
const isSentence = (error: unknown): boolean =>
  error instanceof Error && /\w+.* \w+/.test(toText(error)) && !isOfRuntime(error);

/** What JavaScript says where nobody has looked at a value before. */
const isOfRuntime = (error: Error): boolean =>
  /undefined is not|null is not|is not a function|Cannot read|is not iterable|is not an object|call stack/i.test(
    error.message,
  );
