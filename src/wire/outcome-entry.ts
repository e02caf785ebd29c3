// An outcome entry, the payload of an outcome subject: how the attempts of one tick ended, one frame for each.

import type { Parked } from "../domain/durable.ts";
import { isKey } from "../domain/names.ts";
import { isFinal, type OutcomeKind } from "../domain/run.ts";
import { assertFits, assertRecord, draft, mostBytes, noBytes, textIn, viewOf } from "./bytes.ts";
import { f64, layout, time, u8, u16, u32 } from "./layout.ts";
import { decodeParked } from "./parked.ts";
import { assertRange, isTime, timeAt } from "./ranges.ts";
import type { FinalDetail, OutcomeDetail } from "./story.ts";
import { attemptDetailOf, cancelWishOf, finalDetailOf } from "./story.ts";
import type { OutcomeAuthor } from "./subjects.ts";

/**
 * The whole story of a run that ended in its only attempt, without an error, metadata or a reason, as nearly all do. It is in the fixed part of
 * the frame; the worker is the writer of the entry. Units: epoch milliseconds
 */
export interface PlainStory {
  readonly createdAt: number;
  readonly startedAt: number;
  readonly priority: number;
}

/**
 * What every outcome has. Units: epoch milliseconds; `origin` is a log sequence. A retention mark has an empty key; its `dueAt` is the sequence up
 * to which it gives up outcomes, its `origin` the one up to which its writer knew the log.
 */
export interface OutcomeHead {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
}

/** What the frame of an outcome is made of. */
export interface OutcomeFrame extends OutcomeHead {
  /** The detail as JSON; empty if `plain` says it all. */
  readonly detail: Uint8Array;
  readonly plain?: PlainStory | undefined;
  readonly input: Uint8Array;
  /** The input is not repeated here: it stays in the run's entry. */
  readonly inputStays?: boolean | undefined;
  /** The input did not fit, or could not be read, and is gone. */
  readonly inputIsGone?: boolean | undefined;
  readonly output: Uint8Array;
}

/** The kinds of outcomes, in the order of their numbers in a frame, from 1. */
export const outcomeKinds: readonly OutcomeKind[] = [
  "completed",
  "failed",
  "cancelled",
  "retry",
  "returned",
  "lost",
  "retention",
  "cancelling",
  "parked",
  "erased",
];
const what = "outcome frame";
const entry = layout("outcome entry", [u8, "version", "author"], [u16, "moved"], [u32, "count"]);
const { place, size } = layout(
  what,
  [u32, "length"],
  [u8, "kind", "flags"],
  [u16, "keyLength"],
  [u32, "turn", "attempt"],
  [time("its origin"), "origin"],
  [time("its time"), "at"],
  [time("its due time"), "dueAt"],
  [u32, "detailLength", "inputLength", "outputLength"],
  [f64, "createdAt", "startedAt"],
);
/** The size of a frame without its key, detail, input and output. Units: bytes */
export const frameHead = size;
/** These flags share a byte with the priority, which has the lower bits. */
const inputStaysFlag = 0x80;
const inputIsGoneFlag = 0x40;
const priorityMask = 0x0f;
const noStory: PlainStory = { createdAt: 0, startedAt: 0, priority: 0 };

/** One decoded outcome; everything after the fixed part is read on demand. */
export class Outcome implements OutcomeHead {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
  /** The entry that the outcome is in, and where its parts begin. */
  readonly #entry: Uint8Array;
  readonly #start: number;
  readonly #detailStart: number;
  readonly #inputStart: number;
  readonly #outputStart: number;
  readonly #end: number;
  readonly #flags: number;
  readonly #writer: string;

  /** `view` is a view on `entry`, where the frame stands from `start` to `end`. Fails: MalformedRecord */
  constructor(kind: OutcomeKind, entry: Uint8Array, view: DataView, start: number, end: number, writer: string) {
    this.kind = kind;
    this.#start = start;
    this.#detailStart = start + frameHead + place.keyLength.get(view, start);
    this.#inputStart = this.#detailStart + place.detailLength.get(view, start);
    this.#outputStart = this.#inputStart + place.inputLength.get(view, start);
    this.#end = end;
    this.#flags = place.flags.get(view, start);
    assertFits(this.#outputStart + place.outputLength.get(view, start) === end, what);
    this.turn = place.turn.get(view, start);
    this.attempt = place.attempt.get(view, start);
    this.origin = place.origin.get(view, start);
    this.at = place.at.get(view, start);
    this.dueAt = place.dueAt.get(view, start);
    this.key = textIn(entry, start + frameHead, this.#detailStart);
    if (kind !== "retention" && !isKey(this.key)) assertRange(false, what, "its key", this.key);
    this.#entry = entry;
    this.#writer = writer;
  }

  get detailBytes(): Uint8Array {
    return this.#entry.subarray(this.#detailStart, this.#inputStart);
  }
  /** Parsed on each call, so keep what it returns. That of a final outcome is always a {@link FinalDetail}. */
  get detail(): OutcomeDetail | undefined {
    if (this.kind === "cancelling") return cancelWishOf(this.detailBytes);
    if (this.kind === "parked") return parkedIn(this.detailBytes);
    if (!isFinal(this.kind) && this.kind !== "erased") return attemptDetailOf(this.detailBytes);
    return this.#detailStart === this.#inputStart ? this.#plainDetail() : finalDetailOf(this.detailBytes, this.at);
  }
  get input(): Uint8Array {
    return this.#entry.subarray(this.#inputStart, this.#outputStart);
  }
  /** The input is in the run's entry, and stays there until the run is forgotten. */
  get inputStays(): boolean {
    return (this.#flags & inputStaysFlag) !== 0;
  }
  /** The run had an input, which did not fit beside its story. */
  get inputIsGone(): boolean {
    return (this.#flags & inputIsGoneFlag) !== 0;
  }
  get output(): Uint8Array {
    return this.#entry.subarray(this.#outputStart, this.#end);
  }
  /** The outcome's bytes, as they stand in its entry. */
  get frame(): Uint8Array {
    return this.#entry.subarray(this.#start, this.#end);
  }
  /** A frame for clients that wait for the result, with no more than they need. */
  get result(): Uint8Array {
    const detail = this.kind === "completed" ? noBytes : this.detailBytes;
    return encodeOutcomeFrame({ ...this.#fixed, detail, input: noBytes, output: this.output });
  }

  get #fixed() {
    const { kind, key, turn, attempt, origin, at, dueAt } = this;
    return { kind, key, turn, attempt, origin, at, dueAt };
  }

  #plainDetail(): FinalDetail {
    const view = viewOf(this.#entry);
    const { attempt, turn, kind, at } = this;
    const createdAt = place.createdAt.get(view, this.#start);
    const began = place.startedAt.get(view, this.#start);
    const startedAt = isTime(began) ? began : at;
    return {
      createdAt: isTime(createdAt) ? createdAt : at,
      priority: this.#flags & priorityMask,
      attempts: [{ attempt, turn, worker: this.#writer, startedAt, endedAt: at, outcome: kind }],
    };
  }
}

/** Checks that a retention mark gives up nothing but what is before it in the log. Fails: MalformedRecord */
export function assertPastMark({ dueAt, origin }: Pick<OutcomeFrame, "dueAt" | "origin">, seq: number): void {
  assertRange(Number.isInteger(dueAt) && dueAt < seq, what, "the sequence that is given up", dueAt);
  assertRange(origin < seq, what, "the place that the mark knows the log up to", origin);
}

/** Undefined for a malformed detail: its outcome ends the turn, and the run goes on from where it was. */
function parkedIn(bytes: Uint8Array): Parked | undefined {
  try {
    return decodeParked(bytes);
  } catch {
    return undefined;
  }
}

export function encodeOutcomeFrame(outcome: OutcomeFrame): Uint8Array {
  const { key, detail, input, output, plain = noStory } = outcome;
  const record = draft(frameHead + mostBytes(key) + detail.length + input.length + output.length);
  const { view } = record;
  const at = record.fixed(frameHead);
  place.kind.set(view, at, outcomeKinds.indexOf(outcome.kind) + 1);
  const stays = outcome.inputStays === true ? inputStaysFlag : 0;
  place.flags.set(view, at, plain.priority | stays | (outcome.inputIsGone === true ? inputIsGoneFlag : 0));
  place.keyLength.set(view, at, record.text(key));
  place.turn.set(view, at, outcome.turn);
  place.attempt.set(view, at, outcome.attempt);
  place.origin.set(view, at, outcome.origin);
  place.at.set(view, at, outcome.at);
  place.dueAt.set(view, at, outcome.dueAt);
  place.detailLength.set(view, at, record.part(detail));
  place.inputLength.set(view, at, record.part(input));
  place.outputLength.set(view, at, record.part(output));
  place.createdAt.set(view, at, plain.createdAt);
  place.startedAt.set(view, at, plain.startedAt);
  place.length.set(view, at, record.end);
  return record.finish();
}

/** What an entry that was rewritten without some of its outcomes says about itself. The others keep the time at which they were first stored. */
export interface Moved {
  /** The entry's earlier places in the log, one for each time that it was rewritten. */
  readonly places: readonly number[];
  /** When it was stored at first. Units: epoch milliseconds */
  readonly at: number;
}

/** Joins frames into one entry; results sent to a client's inbox have the same form. */
export function encodeOutcomeEntry(by: OutcomeAuthor, frames: readonly Uint8Array[], moved?: Moved): Uint8Array {
  const places = moved?.places ?? [];
  let length = entry.size + 8 * (places.length + 1);
  for (const frame of frames) length += frame.length;
  const record = draft(length);
  const { view } = record;
  const at = record.fixed(entry.size);
  entry.place.version.set(view, at, 1);
  entry.place.author.set(view, at, by === "engine" ? 1 : 0);
  entry.place.moved.set(view, at, places.length);
  entry.place.count.set(view, at, frames.length);
  for (const frame of frames) record.part(frame);
  if (moved !== undefined) for (const time of [...places, moved.at]) view.setFloat64(record.fixed(8), time, true);
  return record.finish();
}

/** An entry as it was read; outcomes are views on its bytes, not copies. */
export interface OutcomeEntry {
  readonly by: OutcomeAuthor;
  readonly outcomes: readonly Outcome[];
  readonly moved?: Moved | undefined;
  /** The unknown kind of an outcome that was skipped; 0 = none. */
  readonly unknownKind: number;
}

/** `writer` and `by`: what the entry's subject says. In format 1 it does not say who wrote the entry: then the entry itself does. Fails: MalformedRecord */
export function decodeOutcomeEntry(bytes: Uint8Array, writer = "", by?: OutcomeAuthor): OutcomeEntry {
  assertRecord(bytes, "outcome entry", entry.size);
  const view = viewOf(bytes);
  const count = entry.place.count.get(view, 0);
  const outcomes: Outcome[] = [];
  let unknownKind = 0;
  let offset = entry.size;
  for (let i = 0; i < count; i++) {
    assertFits(offset + frameHead <= bytes.length, "outcome entry");
    const length = place.length.get(view, offset);
    assertFits(length >= frameHead && offset + length <= bytes.length, "outcome entry");
    const kind = outcomeKinds[place.kind.get(view, offset) - 1];
    if (kind === undefined) unknownKind = place.kind.get(view, offset);
    else outcomes.push(new Outcome(kind, bytes, view, offset, offset + length, writer));
    offset += length;
  }
  const author = by ?? (entry.place.author.get(view, 0) === 1 ? "engine" : "worker");
  return { by: author, outcomes, unknownKind, moved: movedAt(bytes, view, offset) };
}

function movedAt(bytes: Uint8Array, view: DataView, offset: number): Moved | undefined {
  const count = entry.place.moved.get(view, 0);
  if (count === 0) return undefined;
  assertFits(offset + 8 * (count + 1) <= bytes.length, "outcome entry");
  const places = Array.from({ length: count }, (_, i) =>
    timeAt(view, offset + 8 * i, "outcome entry", "where it stood"),
  );
  return { places, at: timeAt(view, offset + 8 * count, "outcome entry", "when it was stored") };
}
