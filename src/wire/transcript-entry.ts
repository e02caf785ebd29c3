// The payload of a log subject: the output of one attempt in one tick, as records. The head repeats the newest progress and counts the
// lines, so that the newest entry of a run answers both without the others.
import { MalformedRecord } from "../domain/errors.ts";
import type { OutcomeKind } from "../domain/run.ts";
import { type LineLevel, lineLevels } from "../domain/transcript.ts";
import {
  assertFits,
  assertRecord,
  draft,
  finish,
  jsonBytes,
  jsonOf,
  noBytes,
  textOf,
  utf8,
  viewOf,
  writeBytes,
} from "./bytes.ts";

/** The newest progress. Units: epoch milliseconds */
export interface ProgressMark {
  readonly fraction: number;
  readonly note: string;
  readonly at: number;
}

export interface TranscriptHead {
  /** Sequence of the run's first entry: tells the run from an earlier one of the same id. */
  readonly origin: number;
  readonly turn: number;
  readonly attempt: number;
  /** Random for each attempt: a run that is dispatched twice in one turn has two transcripts. */
  readonly writer: number;
  /** Number of the first record; an attempt counts its records from 0. */
  readonly first: number;
  /** Stored lines of the run, including this entry and earlier attempts. */
  readonly lines: number;
  readonly progress: ProgressMark | undefined;
}

/** A record before it is written; its form depends on the kind. Units: epoch milliseconds */
export interface Utterance {
  readonly kind: RecordKind;
  readonly form: number;
  readonly at: number;
  readonly body: Uint8Array;
}

/** A record as it is read. Units: epoch milliseconds */
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

const transcriptHead = 64;
export const recordHead = 8;
/** Records of an entry lie within this time of each other. */
export const spanMs = 65_535;

export function lineUtterance(at: number, level: LineLevel, message: string, fields: Uint8Array): Utterance {
  const text = utf8(message);
  const body = new Uint8Array(4 + text.length + fields.length);
  viewOf(body).setUint32(0, text.length, true);
  writeBytes(body, writeBytes(body, 4, text), fields);
  return { kind: "line", form: lineLevels.indexOf(level), at, body };
}

export function progressUtterance({ at, fraction, note }: ProgressMark): Utterance {
  const text = utf8(note);
  const body = new Uint8Array(8 + text.length);
  viewOf(body).setFloat64(0, fraction, true);
  body.set(text, 8);
  return { kind: "progress", form: 0, at, body };
}

/** Text, bytes or JSON, told apart by the form. Bytes are copied: the caller may use its array again. */
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

/** `said` in its order; all within {@link spanMs}. */
export function encodeTranscript(head: TranscriptHead, said: readonly Utterance[]): Uint8Array {
  const note = utf8(head.progress?.note ?? "");
  let length = transcriptHead + note.length;
  for (const { body } of said) length += recordHead + body.length;
  const entry = draft(length);
  const { bytes, view } = entry;
  const earliest = said.reduce((least, { at }) => Math.min(least, at), said[0]?.at ?? 0);
  view.setUint32(0, head.progress === undefined ? 1 : 0x0101, true);
  view.setUint16(2, note.length, true);
  view.setUint32(4, head.turn, true);
  view.setUint32(8, head.attempt, true);
  view.setUint32(12, head.writer, true);
  view.setFloat64(16, head.origin, true);
  view.setFloat64(24, earliest, true);
  view.setUint32(32, head.first, true);
  view.setUint32(36, head.lines, true);
  view.setUint32(40, said.length, true);
  view.setUint32(44, 0, true);
  view.setFloat64(48, head.progress?.fraction ?? 0, true);
  view.setFloat64(56, head.progress?.at ?? 0, true);
  let end = writeBytes(bytes, transcriptHead, note);
  for (const { kind, form, at, body } of said) {
    bytes[end] = recordKinds.indexOf(kind);
    bytes[end + 1] = form;
    view.setUint16(end + 2, at - earliest, true);
    view.setUint32(end + 4, body.length, true);
    end = writeBytes(bytes, end + recordHead, body);
  }
  return finish(entry, end);
}

/** The head alone, for progress queries. Fails: MalformedRecord */
export function decodeTranscriptHead(bytes: Uint8Array): TranscriptHead {
  assertRecord(bytes, what, transcriptHead);
  const view = viewOf(bytes);
  const recordsStart = transcriptHead + view.getUint16(2, true);
  assertFits(recordsStart <= bytes.length, what);
  const note = textOf(bytes.subarray(transcriptHead, recordsStart));
  const progress = { fraction: view.getFloat64(48, true), note, at: view.getFloat64(56, true) };
  return {
    origin: view.getFloat64(16, true),
    turn: view.getUint32(4, true),
    attempt: view.getUint32(8, true),
    writer: view.getUint32(12, true),
    first: view.getUint32(32, true),
    lines: view.getUint32(36, true),
    progress: (bytes[1]! & 1) === 0 ? undefined : progress,
  };
}

/** Fails: MalformedRecord */
export function decodeTranscript(bytes: Uint8Array): TranscriptEntry {
  const head = decodeTranscriptHead(bytes);
  const view = viewOf(bytes);
  const earliest = view.getFloat64(24, true);
  const count = view.getUint32(40, true);
  let offset = transcriptHead + view.getUint16(2, true);
  const records: TranscriptRecord[] = [];
  for (let i = 0; i < count; i++) {
    assertFits(offset + recordHead <= bytes.length, what);
    const end = offset + recordHead + view.getUint32(offset + 4, true);
    assertFits(end <= bytes.length, what);
    const at = earliest + view.getUint16(offset + 2, true);
    records.push(readRecord(bytes[offset]!, bytes[offset + 1]!, at, bytes.subarray(offset + recordHead, end)));
    offset = end;
  }
  assertFits(offset === bytes.length, what);
  return { ...head, records };
}

function readRecord(kindCode: number, form: number, at: number, body: Uint8Array): TranscriptRecord {
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
