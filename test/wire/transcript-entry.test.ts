// What attempts say, as bytes: read back as it was said, and garbage is refused as such.
import assert from "node:assert/strict";
import { MalformedRecord } from "../../src/domain/errors.ts";
import type { OutcomeKind } from "../../src/domain/run.ts";
import { lineLevels } from "../../src/domain/transcript.ts";
import { jsonBytes } from "../../src/wire/bytes.ts";
import {
  chunkUtterance,
  decodeTranscript,
  decodeTranscriptHead,
  droppedUtterance,
  encodeTranscript,
  endUtterance,
  lineUtterance,
  progressUtterance,
  spanMs,
  type TranscriptHead,
  type TranscriptRecord,
  type Utterance,
} from "../../src/wire/transcript-entry.ts";
import { test } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const outcomes: OutcomeKind[] = ["completed", "failed", "cancelled", "retry", "returned", "lost"];
const number = (random: Random) => random.whole(0, 2 ** 32 - 1);

function randomHead(random: Random): TranscriptHead {
  return {
    origin: random.whole(0, Number.MAX_SAFE_INTEGER),
    turn: number(random),
    attempt: number(random),
    writer: number(random),
    first: number(random),
    lines: random.whole(0, 1_000),
    progress: random.chance(0.5)
      ? undefined
      : { fraction: random.next(), note: random.text(0, 30), at: random.whole(0, 4_000_000_000_000) },
  };
}

/** An utterance, and what a reader shall get of it. */
function randomUtterance(random: Random, at: number): [Utterance, TranscriptRecord] {
  const kind = random.pick(["line", "progress", "chunk", "end", "dropped"] as const);
  if (kind === "line") {
    const level = random.pick(lineLevels);
    const message = random.text(0, 40);
    const fields = random.chance(0.5) ? undefined : { [random.text(1, 5)]: random.text(0, 20) };
    return [lineUtterance(at, level, message, jsonBytes(fields)), { kind, at, level, message, fields }];
  }
  if (kind === "progress") {
    const mark = { fraction: random.next(), note: random.text(0, 20), at };
    return [progressUtterance(mark), { kind, ...mark }];
  }
  if (kind === "chunk") {
    const value = random.pick([random.text(0, 40), random.bytes(40), { text: random.text(0, 9) }, null, 0.5, [true]]);
    return [chunkUtterance(at, value), { kind, at, value }];
  }
  if (kind === "end") {
    const outcome = random.pick(outcomes);
    return [endUtterance(at, outcome), { kind, at, outcome }];
  }
  const what = random.pick(["lines", "chunks"] as const);
  const count = number(random);
  return [droppedUtterance(at, what, count), { kind, at, what, count }];
}

function randomEntry(random: Random) {
  const from = random.whole(0, 4_000_000_000_000);
  const pairs = Array.from({ length: random.whole(0, 12) }, () =>
    randomUtterance(random, from + random.whole(0, spanMs)),
  );
  const head = randomHead(random);
  const said = pairs.map(([utterance]) => utterance);
  return { head, records: pairs.map(([, record]) => record), bytes: encodeTranscript(head, said) };
}

test("transcript entries: what is said is read back, also out of a larger buffer", () => {
  const random = new Random();
  for (let i = 0; i < 1_000; i++) {
    const { head, records, bytes } = randomEntry(random);
    const buffer = new Uint8Array(bytes.length + 20).fill(255);
    buffer.set(bytes, 7);
    const view = buffer.subarray(7, 7 + bytes.length);
    assert.deepEqual(decodeTranscript(view), { ...head, records }, random.label);
    assert.deepEqual(decodeTranscriptHead(view), head, random.label);
  }
});

test("transcript entries: a chunk keeps the bytes that it was given, whatever becomes of the array", () => {
  const given = Buffer.from([1, 2, 3]);
  const utterance = chunkUtterance(1, given);
  given.fill(0);
  const bytes = encodeTranscript(randomHead(new Random()), [utterance]);
  const [record] = decodeTranscript(bytes).records;
  bytes.fill(0);
  assert.deepEqual(record, { kind: "chunk", at: 1, value: new Uint8Array([1, 2, 3]) });
});

test("transcript entries: an entry larger than the shared draft", () => {
  const value = new Uint8Array(500_000).fill(9);
  const entry = encodeTranscript(randomHead(new Random()), [chunkUtterance(5, value), chunkUtterance(6, "end")]);
  assert.deepEqual(decodeTranscript(entry).records, [
    { kind: "chunk", at: 5, value },
    { kind: "chunk", at: 6, value: "end" },
  ]);
});

test("transcript entries: short, foreign and damaged bytes are read or refused as malformed, never anything else", () => {
  const random = new Random();
  assert.throws(() => decodeTranscript(new Uint8Array(0)), MalformedRecord);
  assert.throws(() => decodeTranscript(new Uint8Array(200).fill(2)), /format version 2, only 1 is known/);
  for (let i = 0; i < 3_000; i++) {
    const { bytes } = randomEntry(random);
    const damaged = random.chance(0.3) ? random.bytes(120) : bytes;
    for (let n = random.whole(1, 4); n > 0 && damaged.length > 1; n--)
      damaged[random.whole(1, damaged.length - 1)] = random.whole(0, 255);
    try {
      decodeTranscript(damaged);
    } catch (error) {
      assert.ok(error instanceof MalformedRecord, `${random.label}: ${error}`);
    }
  }
});

test("transcript entries: a cut one is refused", () => {
  const random = new Random();
  for (let i = 0; i < 300; i++) {
    const { bytes } = randomEntry(random);
    const cut = bytes.subarray(0, random.whole(0, bytes.length - 1));
    assert.throws(() => decodeTranscript(cut), MalformedRecord, random.label);
  }
});
