// The binary formats: what is written is read back, and garbage is refused as such.
import assert from "node:assert/strict";
import { MalformedRecord } from "../../src/domain/errors.ts";
import type { OutcomeKind } from "../../src/domain/run.ts";
import { assignmentExtraOf, decodeAssignments, encodeAssignments } from "../../src/wire/assignment.ts";
import { jsonBytes, jsonOf, noBytes, utf8 } from "../../src/wire/bytes.ts";
import {
  decodeOutcomeEntry,
  encodeOutcomeEntry,
  encodeOutcomeFrame,
  type OutcomeFrame,
} from "../../src/wire/outcome-entry.ts";
import { decodeRunEntry, encodeRunEntry, type RunEntry } from "../../src/wire/run-entry.ts";
import type { RunExtra } from "../../src/wire/run-extra.ts";
import { describe, test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const kinds: OutcomeKind[] = [
  ...(["completed", "failed", "cancelled", "retry", "returned", "lost", "retention", "cancelling"] as const),
];
const time = (random: Random) => random.whole(0, 4_000_000_000_000);
const json = (random: Random) => jsonBytes(random.chance(0.3) ? undefined : { text: random.text(0, 30) });

const origin = (random: Random) => random.whole(1, 2 ** 50);
const attemptOf = (random: Random) => ({
  ...{ attempt: random.whole(1, 9), turn: random.whole(1, 9), worker: random.text(1, 9) },
  ...{ startedAt: time(random), endedAt: time(random), outcome: random.pick(["lost", "retry"] as const) },
  ...(random.chance(0.5) && { error: { name: random.text(1, 9), message: random.text(0, 9) } }),
});

function randomState(form: 0 | 1 | 2, random: Random): RunExtra {
  const common = { asOf: random.whole(0, 2 ** 50), origin: origin(random) };
  const numbers = { turn: random.whole(1, 99), attempt: random.whole(1, 99), lost: random.whole(0, 9) };
  const times = { dueAt: 0, readyAt: time(random), retrying: random.chance(0.5) };
  const history = [attemptOf(random), attemptOf(random)];
  if (form === 1) return { state: { ...common, ...numbers, ...times, history } };
  const place = { kind: random.pick(["completed", "failed"] as const), seq: random.whole(1, 99), index: 0 };
  return form === 2 ? { state: { ...common, ...place, at: time(random) } } : {};
}

function randomRunEntry(random: Random): RunEntry {
  const form = random.pick([0, 1, 2] as const);
  const metadata = random.chance(0.5) ? {} : { metadata: { [random.text(1, 5)]: random.text(0, 20) } };
  const extra = { ...metadata, ...randomState(form, random) };
  return {
    form,
    priority: random.whole(0, 9),
    createdAt: time(random),
    dueAt: random.chance(0.5) ? 0 : time(random),
    isDated: random.chance(0.3),
    scheduleTimeoutMs: random.pick([undefined, null, 0, 1, 300_000.5, 2 ** 40]),
    inbox: random.chance(0.3) ? "" : `_INBOX.${random.text(0, 10)}`,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
    input: random.bytes(200),
  };
}

const storyOf = (kind: OutcomeKind, random: Random) =>
  kind === "cancelling" ? { reason: random.text(0, 30) } : storyOfAttempts(kind, random);
const storyOfAttempts = (kind: OutcomeKind, random: Random) =>
  kind === "completed" || kind === "failed" || kind === "cancelled"
    ? { createdAt: time(random), priority: random.whole(1, 9), attempts: [attemptOf(random), attemptOf(random)] }
    : { attempt: attemptOf(random) };

function randomOutcome(random: Random): OutcomeFrame {
  const kind = random.pick(kinds);
  return {
    kind,
    key: kind === "retention" ? "" : `task/${random.text(1, 30)}`,
    turn: random.whole(0, 2 ** 32 - 1),
    attempt: random.whole(0, 1_000),
    origin: origin(random),
    at: time(random),
    dueAt: time(random),
    detail: jsonBytes(random.chance(0.3) ? undefined : storyOf(kind, random)),
    input: random.bytes(100),
    inputStays: random.chance(0.2),
    output: random.bytes(100),
  };
}

const randomAssignment = (random: Random) => ({
  key: `task/${random.text(1, 30)}`,
  priority: random.whole(0, 9),
  turn: random.whole(0, 2 ** 32 - 1),
  attempt: random.whole(1, 1_000),
  origin: random.whole(0, Number.MAX_SAFE_INTEGER),
  waiter: random.chance(0.5) ? "" : random.text(1, 20),
  follows: random.chance(0.2),
  createdAt: time(random),
  extra: json(random),
  input: random.bytes(100),
});

/** As a message comes out of a socket: somewhere in a larger buffer. */
function inLargerBuffer(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 20).fill(255);
  buffer.set(bytes, 7);
  return buffer.subarray(7, 7 + bytes.length);
}

const plainOutcome = (outcome: OutcomeFrame & { readonly detailBytes?: Uint8Array }) => ({
  ...{ kind: outcome.kind, key: outcome.key, turn: outcome.turn, attempt: outcome.attempt, origin: outcome.origin },
  ...{ at: outcome.at, dueAt: outcome.dueAt, input: [...outcome.input], output: [...outcome.output] },
  inputStays: outcome.inputStays === true,
});

describe("round trips", () => {
  test("run entries", () => {
    const random = new Random();
    for (let i = 0; i < 1_000; i++) {
      const entry = randomRunEntry(random);
      assert.deepEqual(decodeRunEntry(inLargerBuffer(encodeRunEntry(entry))), entry, random.label);
    }
  });

  test("outcome entries, and what is forwarded of them", () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const outcomes = Array.from({ length: random.whole(0, 8) }, () => randomOutcome(random));
      const by = random.pick(["worker", "engine"] as const);
      const entry = decodeOutcomeEntry(inLargerBuffer(encodeOutcomeEntry(by, outcomes.map(encodeOutcomeFrame))));
      assert.equal(entry.by, by);
      assert.deepEqual(
        entry.outcomes.map((outcome) => plainOutcome({ ...plainOf(outcome), detail: outcome.detailBytes })),
        outcomes.map(plainOutcome),
        random.label,
      );
      for (const [at, outcome] of entry.outcomes.entries()) {
        const { kind, detail } = outcomes[at]!;
        if (detail.length > 0) assert.deepEqual(outcome.detail, jsonOf(detail), random.label);
        const [forwarded] = decodeOutcomeEntry(encodeOutcomeEntry("engine", [outcome.result])).outcomes;
        const needed = { detail: kind === "completed" ? noBytes : detail, input: noBytes, inputStays: false };
        assert.deepEqual(plainOf(forwarded!), { ...plainOf(outcome), ...needed }, random.label);
      }
    }
  });

  test("the story of a run that ended in its only attempt needs no JSON", () => {
    const random = new Random();
    const plain = { createdAt: 1_000.5, startedAt: 2_000, priority: 9 };
    const outcome = { ...randomOutcome(random), key: "task/a", kind: "completed" as const, detail: noBytes, plain };
    const entry = encodeOutcomeEntry("worker", [encodeOutcomeFrame(outcome)]);
    const { attempt, turn, at: endedAt } = outcome;
    assert.deepEqual(decodeOutcomeEntry(entry, "w1").outcomes[0]!.detail, {
      createdAt: 1_000.5,
      priority: 9,
      attempts: [{ attempt, turn, worker: "w1", startedAt: 2_000, endedAt, outcome: "completed" }],
    });
  });

  test("texts that are not ASCII, and records larger than the shared draft", () => {
    const key = `task/${"häßlich→🚀".repeat(10)}`;
    const input = new Uint8Array(300_000).fill(7);
    const assignment = { ...randomAssignment(new Random()), key, input };
    const outcome = { ...randomOutcome(new Random()), key, input };
    const [decoded] = decodeOutcomeEntry(encodeOutcomeEntry("worker", [encodeOutcomeFrame(outcome)])).outcomes;
    assert.deepEqual(plainOf(decoded!), plainOf({ ...outcome, detailBytes: outcome.detail }));
    assert.deepEqual(
      decodeAssignments(encodeAssignments({ epoch: 1, assignments: [assignment, assignment] })).assignments,
      [assignment, assignment],
    );
  });

  test("an outcome of a kind that is not known is left out, and its neighbours stay", () => {
    const random = new Random();
    const frames = [randomOutcome(random), randomOutcome(random), randomOutcome(random)].map(encodeOutcomeFrame);
    frames[1]![4] = 200;
    const { outcomes, unknownKind } = decodeOutcomeEntry(encodeOutcomeEntry("worker", frames));
    assert.deepEqual([outcomes.length, unknownKind], [2, 200]);
  });

  test("an entry that was written anew says where it stood, and when it was stored at first", () => {
    const frames = [encodeOutcomeFrame(randomOutcome(new Random()))];
    for (const places of [[7], [7, 12, 2 ** 40]]) {
      const { moved, outcomes } = decodeOutcomeEntry(
        inLargerBuffer(encodeOutcomeEntry("worker", frames, { places, at: 1_000.5 })),
      );
      assert.deepEqual([moved, outcomes.length], [{ places, at: 1_000.5 }, 1]);
    }
    assert.equal(decodeOutcomeEntry(encodeOutcomeEntry("worker", frames)).moved, undefined);
  });

  test("who wrote an entry is said by its subject; by itself only where that does not say", () => {
    const entry = encodeOutcomeEntry("engine", []);
    assert.equal(decodeOutcomeEntry(entry, "w1", "worker").by, "worker");
    assert.equal(decodeOutcomeEntry(entry, "e1").by, "engine");
  });

  test("assignments", () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const assignments = Array.from({ length: random.whole(0, 8) }, () => randomAssignment(random));
      const epoch = random.whole(0, 2 ** 32 - 1);
      const [sentAt, goesOn] = [random.whole(0, 1_000) / 4, random.chance(0.5)];
      const message = {
        epoch,
        assignments,
        sentAt,
        goesOn,
        n: random.whole(0, 2 ** 40),
        proof: "0123456789abcdef".repeat(2),
      };
      const decoded = decodeAssignments(inLargerBuffer(encodeAssignments(message)));
      assert.deepEqual(decoded, message, random.label);
      for (const [at, assignment] of decoded.assignments.entries())
        assert.deepEqual(assignmentExtraOf(assignment), jsonOf(assignments[at]!.extra));
    }
  });
});

/** The getters of a decoded outcome as fields. */
function plainOf(outcome: Omit<OutcomeFrame, "detail"> & { readonly detailBytes: Uint8Array }): OutcomeFrame {
  const { kind, key, turn, attempt, origin, at, dueAt, detailBytes, input, inputStays, output } = outcome;
  return { kind, key, turn, attempt, origin, at, dueAt, detail: detailBytes, input, inputStays, output };
}

const decoders: Record<string, { decode: (bytes: Uint8Array) => unknown; valid: (random: Random) => Uint8Array }> = {
  "run entry": { decode: decodeRunEntry, valid: (random) => encodeRunEntry(randomRunEntry(random)) },
  "outcome entry": {
    decode: decodeOutcomeEntry,
    valid: (random) => encodeOutcomeEntry("worker", [encodeOutcomeFrame(randomOutcome(random))]),
  },
  assignment: {
    decode: decodeAssignments,
    valid: (random) => encodeAssignments({ epoch: 1, assignments: [randomAssignment(random)] }),
  },
};

describe("garbage", () => {
  for (const [what, { decode, valid }] of Object.entries(decoders)) {
    test(`${what}: short, foreign and damaged bytes are read or refused as malformed, never anything else`, () => {
      const random = new Random();
      assert.throws(() => decode(new Uint8Array(0)), MalformedRecord);
      assert.throws(() => decode(new Uint8Array(200).fill(2)), /format version 2, only 1 is known/);
      for (let i = 0; i < 3_000; i++) {
        const bytes = random.chance(0.3) ? random.bytes(120) : damaged(valid(random), random);
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedRecord, `${random.label}: ${error}`);
        }
      }
    });

    test(`${what}: a cut record is refused`, () => {
      const random = new Random();
      for (let i = 0; i < 300; i++) {
        const bytes = valid(random);
        if (what === "run entry") continue; // its last part is the input: a cut one is a shorter input
        assert.throws(
          () => decode(bytes.subarray(0, random.whole(0, bytes.length - 1))),
          MalformedRecord,
          random.label,
        );
      }
      if (what === "run entry") assert.throws(() => decode(valid(random).subarray(0, 35)), MalformedRecord);
    });
  }
});

function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  for (let n = random.whole(1, 4); n > 0; n--)
    copy[random.whole(1, Math.min(copy.length, 70) - 1)] = random.whole(0, 255);
  return copy;
}

test("JSON as bytes: undefined is no bytes, null is null", () => {
  assert.equal(jsonBytes(undefined).length, 0);
  assert.equal(jsonOf(jsonBytes(undefined)), undefined);
  assert.equal(jsonOf(jsonBytes(null)), null);
  assert.deepEqual(jsonOf(jsonBytes({ a: ["ü", 1] })), { a: ["ü", 1] });
  assert.throws(() => jsonOf(utf8("{")), MalformedRecord);
});
