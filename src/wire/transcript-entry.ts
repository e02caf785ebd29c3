// A transcript entry, the payload of a log subject: what an attempt has put out in one tick, as records. The head repeats the newest progress and
// counts the lines, so that the newest entry of a run is enough to answer for both.
import { MalformedRecord } from "../domain/errors.ts";
import type { OutcomeKind } from "../domain/run.ts";
import { type LineLevel, lineLevels } from "../domain/transcript.ts";
import {
  assertFits,
  draft,
  jsonBytes,
  jsonOf,
  mostBytes,
  noBytes,
  type Reading,
  reading,
  textOf,
  utf8,
  viewOf,
} from "./bytes.ts";
import { f64, layout, u8, u16, u32 } from "./layout.ts";

/** The newest progress. Units: epoch milliseconds */
export interface ProgressMark {
  readonly fraction: number;
  readonly note: string;
  readonly at: number;
}

export interface TranscriptHead {
  /** Sequence of the run's first entry: tells the run from an earlier one with the same id. */
  readonly origin: number;
  readonly turn: number;
  readonly attempt: number;
  /** Random for each attempt: a run that is dispatched twice in one turn has two transcripts. */
  readonly writer: number;
  /** Number of the first record; an attempt counts its records from 0. */
  readonly first: number;
  /** How many lines of the run are stored, with this entry and those of earlier attempts. */
  readonly lines: number;
  readonly progress: ProgressMark | undefined;
}

/** A record to be written. What its `form` means depends on its kind. Units: epoch milliseconds */
export interface Utterance {
  readonly kind: RecordKind;
  readonly form: number;
  readonly at: number;
  readonly body: Uint8Array;
}

/** A record that was read. Units: epoch milliseconds */
export type TranscriptRecord = { readonly at: number } & (
  | {
      readonly kind: "line";
      readonly level: LineLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>> | undefined;
    }
  | { readonly kind: "progress"; readonly fraction: number; readonly note: string }
  | { readonly kind: "chunk"; readonly value: unknown }
  | { readonly kind: "end"; readonly outcome: OutcomeKind }
  | { readonly kind: "dropped"; readonly what: DroppedWhat; readonly count: number }
);

export interface TranscriptEntry extends TranscriptHead {
  readonly records: readonly TranscriptRecord[];
}

export type RecordKind = "line" | "progress" | "chunk" | "end" | "dropped";
export type DroppedWhat = "lines" | "chunks";

const recordKinds: readonly RecordKind[] = ["line", "progress", "chunk", "end", "dropped"];
const outcomes: readonly OutcomeKind[] = ["completed", "failed", "cancelled", "retry", "returned", "lost"];
const droppedWhats: readonly DroppedWhat[] = ["lines", "chunks"];
const what = "transcript entry";

const headLayout = layout(
  what,
  [u8, "version", "flags"],
  [u16, "noteLength"],
  [u32, "turn", "attempt", "writer"],
  [f64, "origin", "earliest"],
  [u32, "first", "lines", "count", "reserved"],
  [f64, "fraction", "progressAt"],
);
const hasProgress = 1;
const record = layout(what, [u8, "kind", "form"], [u16, "after"], [u32, "length"]);
export const recordHead = record.size;
/** All records of an entry were made within this time. Units: milliseconds */
export const spanMs = 65_535;

export function lineUtterance(at: number, level: LineLevel, message: string, fields: Uint8Array): Utterance {
  const text = utf8(message);
  const body = new Uint8Array(4 + text.length + fields.length);
  viewOf(body).setUint32(0, text.length, true);
  body.set(text, 4);
  body.set(fields, 4 + text.length);
  return { kind: "line", form: lineLevels.indexOf(level), at, body };
}

export function progressUtterance({ at, fraction, note }: ProgressMark): Utterance {
  const text = utf8(note);
  const body = new Uint8Array(8 + text.length);
  viewOf(body).setFloat64(0, fraction, true);
  body.set(text, 8);
  return { kind: "progress", form: 0, at, body };
}

/** A chunk is text, bytes or JSON, told apart by its form. Bytes are copied, since the caller may use its array again. */
export function chunkUtterance(at: number, value: unknown): Utterance {
  if (typeof value === "string") return { kind: "chunk", form: 0, at, body: utf8(value) };
  if (value instanceof Uint8Array) return { kind: "chunk", form: 1, at, body: new Uint8Array(value) };
  return { kind: "chunk", form: 2, at, body: jsonBytes(value) };
}

export const endUtterance = (at: number, outcome: OutcomeKind): Utterance => ({
  kind: "end",
  form: outcomes.indexOf(outcome),
  at,
  body: noBytes,
});

export function droppedUtterance(at: number, whatWas: DroppedWhat, count: number): Utterance {
  const body = new Uint8Array(4);
  viewOf(body).setUint32(0, count, true);
  return { kind: "dropped", form: droppedWhats.indexOf(whatWas), at, body };
}

/** Encodes records in the order in which they were made, all within {@link spanMs}. */
export function encodeTranscript(head: TranscriptHead, said: readonly Utterance[]): Uint8Array {
  const { fraction = 0, note = "", at: progressAt = 0 } = head.progress ?? {};
  let length = headLayout.size + mostBytes(note);
  for (const { body } of said) length += recordHead + body.length;
  const entry = draft(length);
  const start = entry.fixed(headLayout.size);
  const earliest = said.reduce((least, { at }) => Math.min(least, at), said[0]?.at ?? 0);
  const [flags, noteLength, count] = [head.progress === undefined ? 0 : hasProgress, entry.text(note), said.length];
  const numbers = { flags, noteLength, earliest, count, fraction, progressAt };
  headLayout.write(entry.view, start, { ...head, version: 1, reserved: 0, ...numbers });
  for (const { kind: name, form, at, body } of said) {
    const place = entry.fixed(recordHead);
    const [kind, after] = [recordKinds.indexOf(name), at - earliest];
    record.write(entry.view, place, { kind, form, after, length: entry.part(body) });
  }
  return entry.finish();
}

/** The head alone, for progress queries. Fails: MalformedRecord */
export const decodeTranscriptHead = (bytes: Uint8Array): TranscriptHead => readHead(bytes).head;

function readHead(bytes: Uint8Array) {
  const entry = reading(bytes, what, headLayout.size);
  const numbers = headLayout.read(entry.view, entry.fixed(headLayout.size));
  const { origin, turn, attempt, writer, first, lines, count, earliest, fraction, progressAt: at } = numbers;
  const note = entry.text(numbers.noteLength);
  const progress = (numbers.flags & hasProgress) === 0 ? undefined : { fraction, note, at };
  const head: TranscriptHead = { origin, turn, attempt, writer, first, lines, progress };
  return { entry, head, count, earliest };
}

/** Fails: MalformedRecord */
export function decodeTranscript(bytes: Uint8Array): TranscriptEntry {
  const { entry, head, count, earliest } = readHead(bytes);
  const records: TranscriptRecord[] = [];
  for (let i = 0; i < count; i++) records.push(readRecord(entry, earliest));
  assertFits(entry.rest().length === 0, what);
  return { ...head, records };
}

function readRecord(entry: Reading, earliest: number): TranscriptRecord {
  const { kind, form, after, length } = record.read(entry.view, entry.fixed(recordHead));
  return recordOf(kind, form, earliest + after, entry.part(length));
}

function recordOf(kindCode: number, form: number, at: number, body: Uint8Array): TranscriptRecord {
  const kind = recordKinds[kindCode];
  if (kind === "line") return readLine(form, at, body);
  if (kind === "chunk") return { kind, at, value: readChunk(form, body) };
  if (kind === "end") return { kind, at, outcome: named(outcomes, form) };
  if (kind === "progress") {
    assertFits(body.length >= 8, what);
    return { kind, at, fraction: viewOf(body).getFloat64(0, true), note: textOf(body.subarray(8)) };
  }
  if (kind !== "dropped") throw new MalformedRecord({ what, reason: `unknown kind ${kindCode}` });
  assertFits(body.length === 4, what);
  return { kind, at, what: named(droppedWhats, form), count: viewOf(body).getUint32(0, true) };
}

function readLine(form: number, at: number, body: Uint8Array): TranscriptRecord {
  assertFits(body.length >= 4, what);
  const messageEnd = 4 + viewOf(body).getUint32(0, true);
  assertFits(messageEnd <= body.length, what);
  const fields = jsonOf(body.subarray(messageEnd)) as Readonly<Record<string, unknown>> | undefined;
  return { kind: "line", at, level: named(lineLevels, form), message: textOf(body.subarray(4, messageEnd)), fields };
}

/** What {@link chunkUtterance} was given. Fails: MalformedRecord */
export function readChunk(form: number, body: Uint8Array): unknown {
  if (form === 0) return textOf(body);
  if (form === 1) return new Uint8Array(body);
  if (form === 2) return jsonOf(body);
  throw new MalformedRecord({ what, reason: `unknown form of a chunk ${form}` });
}

function named<T>(names: readonly T[], form: number): T {
  const name = names[form];
  if (name === undefined) throw new MalformedRecord({ what, reason: `unknown form ${form}` });
  return name;
}
