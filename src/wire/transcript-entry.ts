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
import { f64, layout, u8, u16, u32 } from "./layout.ts";

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

const { place, size: transcriptHead } = layout(
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
  place.version.set(view, 0, 1);
  place.flags.set(view, 0, head.progress === undefined ? 0 : hasProgress);
  place.noteLength.set(view, 0, note.length);
  place.turn.set(view, 0, head.turn);
  place.attempt.set(view, 0, head.attempt);
  place.writer.set(view, 0, head.writer);
  place.origin.set(view, 0, head.origin);
  place.earliest.set(view, 0, earliest);
  place.first.set(view, 0, head.first);
  place.lines.set(view, 0, head.lines);
  place.count.set(view, 0, said.length);
  place.reserved.set(view, 0, 0);
  place.fraction.set(view, 0, head.progress?.fraction ?? 0);
  place.progressAt.set(view, 0, head.progress?.at ?? 0);
  let end = writeBytes(bytes, transcriptHead, note);
  for (const { kind, form, at, body } of said) {
    record.place.kind.set(view, end, recordKinds.indexOf(kind));
    record.place.form.set(view, end, form);
    record.place.after.set(view, end, at - earliest);
    record.place.length.set(view, end, body.length);
    end = writeBytes(bytes, end + recordHead, body);
  }
  return finish(entry, end);
}

/** The head alone, for progress queries. Fails: MalformedRecord */
export function decodeTranscriptHead(bytes: Uint8Array): TranscriptHead {
  assertRecord(bytes, what, transcriptHead);
  const view = viewOf(bytes);
  const recordsStart = transcriptHead + place.noteLength.get(view, 0);
  assertFits(recordsStart <= bytes.length, what);
  const note = textOf(bytes.subarray(transcriptHead, recordsStart));
  const progress = { fraction: place.fraction.get(view, 0), note, at: place.progressAt.get(view, 0) };
  return {
    origin: place.origin.get(view, 0),
    turn: place.turn.get(view, 0),
    attempt: place.attempt.get(view, 0),
    writer: place.writer.get(view, 0),
    first: place.first.get(view, 0),
    lines: place.lines.get(view, 0),
    progress: (place.flags.get(view, 0) & hasProgress) === 0 ? undefined : progress,
  };
}

/** Fails: MalformedRecord */
export function decodeTranscript(bytes: Uint8Array): TranscriptEntry {
  const head = decodeTranscriptHead(bytes);
  const view = viewOf(bytes);
  const earliest = place.earliest.get(view, 0);
  const count = place.count.get(view, 0);
  let offset = transcriptHead + place.noteLength.get(view, 0);
  const records: TranscriptRecord[] = [];
  for (let i = 0; i < count; i++) {
    assertFits(offset + recordHead <= bytes.length, what);
    const end = offset + recordHead + record.place.length.get(view, offset);
    assertFits(end <= bytes.length, what);
    const at = earliest + record.place.after.get(view, offset);
    records.push(
      readRecord(
        record.place.kind.get(view, offset),
        record.place.form.get(view, offset),
        at,
        bytes.subarray(offset + recordHead, end),
      ),
    );
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
