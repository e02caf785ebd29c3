// The payload of an outcome subject: the outcomes of all runs that ended in the same moment, a frame each.
import { MalformedRecord } from "../domain/errors.ts";
import { type AttemptRecord, type ErrorRecord, isFinal, type OutcomeKind } from "../domain/run.ts";
import {
  assertFits,
  assertRecord,
  draft,
  finish,
  jsonOf,
  mostBytes,
  noBytes,
  textOf,
  viewOf,
  writeBytes,
  writeText,
} from "./bytes.ts";

/** The story of a run in its final outcome. */
export interface FinalDetail {
  readonly createdAt: number;
  readonly priority: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly attempts: readonly AttemptRecord[];
  readonly error?: ErrorRecord;
  readonly reason?: string;
}

/** What `retry`, `returned` and `lost` say: the attempt that ended. */
export interface AttemptDetail {
  readonly attempt: AttemptRecord;
}

/**
 * The whole story of a run that ended in its only attempt, without an error, metadata or a reason: nearly all of them. It stands in the
 * frame's fixed part; the worker is the writer of the entry. Units: epoch milliseconds
 */
export interface PlainStory {
  readonly createdAt: number;
  readonly startedAt: number;
  readonly priority: number;
}

/** What a frame is made of. Units: epoch milliseconds; `origin` is a log sequence; a retention mark has an empty key, S in `dueAt`, asOf in `origin` */
export interface OutcomeFrame {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
  /** JSON of a detail; empty when `plain` says it all. */
  readonly detail: Uint8Array;
  readonly plain?: PlainStory | undefined;
  readonly input: Uint8Array;
  /** The input is not repeated: it stays in the run's entry. */
  readonly inputStays?: boolean | undefined;
  readonly output: Uint8Array;
}

export type OutcomeAuthor = "worker" | "engine";
const kinds: readonly OutcomeKind[] = ["completed", "failed", "cancelled", "retry", "returned", "lost", "retention"];
const entryHead = 8;
/** Bytes of a frame beside its key, detail, input and output. */
export const frameHead = 68;
/** Beside the priority, which needs the lower bits. */
const inputStaysFlag = 0x80;
const priorityMask = 0x0f;
const noStory: PlainStory = { createdAt: 0, startedAt: 0, priority: 0 };

/** One decoded outcome; everything behind the fixed part is read when asked for. */
export class Outcome {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
  readonly #frame: Uint8Array;
  readonly #writer: string;
  readonly #detailStart: number;
  readonly #inputStart: number;
  readonly #outputStart: number;

  constructor(frame: Uint8Array, view: DataView, offset: number, writer: string) {
    const kind = kinds[frame[4]! - 1];
    if (kind === undefined) throw new MalformedRecord({ what: "outcome frame", reason: `unknown kind ${frame[4]}` });
    this.kind = kind;
    this.#detailStart = frameHead + view.getUint16(offset + 6, true);
    this.#inputStart = this.#detailStart + view.getUint32(offset + 40, true);
    this.#outputStart = this.#inputStart + view.getUint32(offset + 44, true);
    assertFits(this.#outputStart + view.getUint32(offset + 48, true) === frame.length, "outcome frame");
    this.turn = view.getUint32(offset + 8, true);
    this.attempt = view.getUint32(offset + 12, true);
    this.origin = view.getFloat64(offset + 16, true);
    this.at = view.getFloat64(offset + 24, true);
    this.dueAt = view.getFloat64(offset + 32, true);
    this.key = textOf(frame.subarray(frameHead, this.#detailStart));
    this.#frame = frame;
    this.#writer = writer;
  }

  get detailBytes(): Uint8Array {
    return this.#frame.subarray(this.#detailStart, this.#inputStart);
  }
  /** Parsed anew at each call: keep it. */
  get detail(): FinalDetail | AttemptDetail | undefined {
    if (this.#detailStart === this.#inputStart && isFinal(this.kind)) return this.#plainDetail();
    return jsonOf(this.detailBytes) as FinalDetail | AttemptDetail | undefined;
  }
  get input(): Uint8Array {
    return this.#frame.subarray(this.#inputStart, this.#outputStart);
  }
  /** The input stands in the run's entry, and stays there until the run is forgotten. */
  get inputStays(): boolean {
    return (this.#frame[5]! & inputStaysFlag) !== 0;
  }
  get output(): Uint8Array {
    return this.#frame.subarray(this.#outputStart);
  }
  /** A frame for those who wait for the result: what they need of this one. */
  get result(): Uint8Array {
    const detail = this.kind === "completed" ? noBytes : this.detailBytes;
    return encodeOutcomeFrame({ ...this.#fixed, detail, input: noBytes, output: this.output });
  }

  get #fixed() {
    const { kind, key, turn, attempt, origin, at, dueAt } = this;
    return { kind, key, turn, attempt, origin, at, dueAt };
  }

  #plainDetail(): FinalDetail {
    const view = viewOf(this.#frame);
    const { attempt, turn, kind, at } = this;
    const startedAt = view.getFloat64(60, true);
    return {
      createdAt: view.getFloat64(52, true),
      priority: this.#frame[5]! & priorityMask,
      attempts: [{ attempt, turn, worker: this.#writer, startedAt, endedAt: at, outcome: kind }],
    };
  }
}

export function encodeOutcomeFrame(outcome: OutcomeFrame): Uint8Array {
  const { key, detail, input, output, plain = noStory } = outcome;
  const record = draft(frameHead + mostBytes(key) + detail.length + input.length + output.length);
  const { bytes, view } = record;
  const keyEnd = writeText(bytes, frameHead, key);
  const end = writeBytes(bytes, writeBytes(bytes, writeBytes(bytes, keyEnd, detail), input), output);
  view.setUint32(0, end, true);
  bytes[4] = kinds.indexOf(outcome.kind) + 1;
  bytes[5] = outcome.inputStays === true ? plain.priority | inputStaysFlag : plain.priority;
  view.setUint16(6, keyEnd - frameHead, true);
  view.setUint32(8, outcome.turn, true);
  view.setUint32(12, outcome.attempt, true);
  view.setFloat64(16, outcome.origin, true);
  view.setFloat64(24, outcome.at, true);
  view.setFloat64(32, outcome.dueAt, true);
  view.setUint32(40, detail.length, true);
  view.setUint32(44, input.length, true);
  view.setUint32(48, output.length, true);
  view.setFloat64(52, plain.createdAt, true);
  view.setFloat64(60, plain.startedAt, true);
  return finish(record, end);
}

/** Puts frames together as one entry; results travel to a client's inbox in the same form. */
export function encodeOutcomeEntry(by: OutcomeAuthor, frames: readonly Uint8Array[]): Uint8Array {
  let length = entryHead;
  for (const frame of frames) length += frame.length;
  const entry = draft(length);
  const { bytes, view } = entry;
  view.setUint32(0, by === "engine" ? 0x0101 : 1, true);
  view.setUint32(4, frames.length, true);
  let end = entryHead;
  for (const frame of frames) end = writeBytes(bytes, end, frame);
  return finish(entry, end);
}

/** `writer` as the entry's subject names it. Fails: MalformedRecord; outcomes are views on `bytes`, not copies */
export function decodeOutcomeEntry(
  bytes: Uint8Array,
  writer = "",
): {
  readonly by: OutcomeAuthor;
  readonly outcomes: readonly Outcome[];
} {
  assertRecord(bytes, "outcome entry", entryHead);
  const view = viewOf(bytes);
  const count = view.getUint32(4, true);
  const outcomes: Outcome[] = [];
  let offset = entryHead;
  for (let i = 0; i < count; i++) {
    assertFits(offset + frameHead <= bytes.length, "outcome entry");
    const length = view.getUint32(offset, true);
    assertFits(length >= frameHead && offset + length <= bytes.length, "outcome entry");
    outcomes.push(new Outcome(bytes.subarray(offset, offset + length), view, offset, writer));
    offset += length;
  }
  return { by: bytes[1] === 1 ? "engine" : "worker", outcomes };
}
