// The payload of an outcome subject: the outcomes of all runs that ended in the same moment, a frame each.
import { MalformedRecord } from "../domain/errors.ts";
import type { AttemptRecord, ErrorRecord, OutcomeKind } from "../domain/run.ts";
import { assertFits, assertRecord, jsonOf, textOf, utf8, viewOf } from "./bytes.ts";

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

/** What a frame is made of. Units: epoch milliseconds; `origin` is a log sequence; a retention mark has an empty key, S in `dueAt`, asOf in `origin` */
export interface OutcomeFrame {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
  readonly detail: Uint8Array;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

export type OutcomeAuthor = "worker" | "engine";
const kinds: readonly OutcomeKind[] = ["completed", "failed", "cancelled", "retry", "returned", "lost", "retention"];
const entryHead = 8;
const frameHead = 52;

/** One decoded outcome; everything behind the fixed part is read when asked for. */
export class Outcome {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly attempt: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
  /** The frame's own bytes, to forward as they came. */
  readonly frame: Uint8Array;
  readonly #detailStart: number;
  readonly #inputStart: number;
  readonly #outputStart: number;

  constructor(frame: Uint8Array, view: DataView, offset: number) {
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
    this.frame = frame;
  }

  get detailBytes(): Uint8Array {
    return this.frame.subarray(this.#detailStart, this.#inputStart);
  }
  /** Parsed anew at each call: keep it. */
  get detail(): FinalDetail | AttemptDetail | undefined {
    return jsonOf(this.detailBytes) as FinalDetail | AttemptDetail | undefined;
  }
  get input(): Uint8Array {
    return this.frame.subarray(this.#inputStart, this.#outputStart);
  }
  get output(): Uint8Array {
    return this.frame.subarray(this.#outputStart);
  }
}

export function encodeOutcomeFrame(outcome: OutcomeFrame): Uint8Array {
  const key = utf8(outcome.key);
  const { detail, input, output } = outcome;
  const frame = new Uint8Array(frameHead + key.length + detail.length + input.length + output.length);
  const view = viewOf(frame);
  view.setUint32(0, frame.length, true);
  frame[4] = kinds.indexOf(outcome.kind) + 1;
  view.setUint16(6, key.length, true);
  view.setUint32(8, outcome.turn, true);
  view.setUint32(12, outcome.attempt, true);
  view.setFloat64(16, outcome.origin, true);
  view.setFloat64(24, outcome.at, true);
  view.setFloat64(32, outcome.dueAt, true);
  view.setUint32(40, detail.length, true);
  view.setUint32(44, input.length, true);
  view.setUint32(48, output.length, true);
  frame.set(key, frameHead);
  frame.set(detail, frameHead + key.length);
  frame.set(input, frameHead + key.length + detail.length);
  frame.set(output, frame.length - output.length);
  return frame;
}

/** Puts frames together as one entry; results travel to a client's inbox in the same form. */
export function encodeOutcomeEntry(by: OutcomeAuthor, frames: readonly Uint8Array[]): Uint8Array {
  let length = entryHead;
  for (const frame of frames) length += frame.length;
  const bytes = new Uint8Array(length);
  bytes[0] = 1;
  bytes[1] = by === "engine" ? 1 : 0;
  viewOf(bytes).setUint32(4, frames.length, true);
  let offset = entryHead;
  for (const frame of frames) {
    bytes.set(frame, offset);
    offset += frame.length;
  }
  return bytes;
}

/** Fails: MalformedRecord; outcomes are views on `bytes`, not copies */
export function decodeOutcomeEntry(bytes: Uint8Array): {
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
    outcomes.push(new Outcome(bytes.subarray(offset, offset + length), view, offset));
    offset += length;
  }
  return { by: bytes[1] === 1 ? "engine" : "worker", outcomes };
}
