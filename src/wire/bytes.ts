// Bytes: how text and numbers stand in binary records, little endian throughout.
import { Buffer } from "node:buffer";
import { MalformedRecord } from "../domain/errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const noBytes: Uint8Array = new Uint8Array(0);

export const utf8 = (text: string): Uint8Array => (text === "" ? noBytes : encoder.encode(text));
export const textOf = (bytes: Uint8Array): string => (bytes.length === 0 ? "" : decoder.decode(bytes));

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The last buffer that a record was read from. A socket reads many records into one buffer: one view of it serves them all. */
let surrounding = surroundingOn(noBytes.buffer);

function surroundingOn(buffer: ArrayBufferLike) {
  return { buffer, view: new DataView(buffer), text: Buffer.from(buffer) };
}
function surroundingOf({ buffer }: Uint8Array): typeof surrounding {
  if (buffer !== surrounding.buffer) surrounding = surroundingOn(buffer);
  return surrounding;
}

/** A part of `bytes` as text, without a view on it. */
export const textIn = (bytes: Uint8Array, start: number, end: number): string =>
  surroundingOf(bytes).text.toString("utf8", bytes.byteOffset + start, bytes.byteOffset + end);

/** A record that is being written: its fixed parts by place, everything else one after the other. */
export class Draft {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the next part begins. */
  end = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = viewOf(this.bytes);
  }

  /** Leaves room for a fixed part; returns where that begins. */
  fixed(size: number): number {
    this.end += size;
    return this.end - size;
  }

  /** Writes a text as UTF-8; returns its length. Units: bytes */
  text(text: string): number {
    const { bytes, end } = this;
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      bytes[end + i] = code;
    }
    const length = i === text.length ? i : encoder.encodeInto(text, bytes.subarray(end)).written;
    this.end += length;
    return length;
  }

  /** Writes bytes; returns how many these are. */
  part(part: Uint8Array): number {
    if (part.length > 0) this.bytes.set(part, this.end);
    this.end += part.length;
    return part.length;
  }

  finish(): Uint8Array {
    return this === shared ? this.bytes.slice(0, this.end) : this.bytes.subarray(0, this.end);
  }
}

const shared = new Draft(64 * 1024);

/**
 * Space for a record of at most `length` bytes, with undefined content. Finish it before starting the next one.
 *
 * Small records share one place: an array and a view for each would cost several times as much as filling it.
 */
export function draft(length: number): Draft {
  if (length > shared.bytes.length) return new Draft(length);
  shared.end = 0;
  return shared;
}

/** The most bytes that a text can take. */
export const mostBytes = (text: string): number => text.length * 3;

/** A record that is being read, in the order in which a {@link Draft} wrote it. Parts are views on its bytes, not copies. */
export class Reading {
  readonly view: DataView;
  /** Where the next part begins, as an offset in `view`, which may have other records before it. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #limit: number;
  readonly #text: Buffer;

  /** `what`: the record, as errors call it. */
  constructor(bytes: Uint8Array, what: string) {
    const { view, text } = surroundingOf(bytes);
    this.view = view;
    this.#text = text;
    this.at = bytes.byteOffset;
    this.#limit = bytes.byteOffset + bytes.length;
    this.#bytes = bytes;
    this.#what = what;
  }

  /** Passes a fixed part; returns where that begins. Fails: MalformedRecord */
  fixed(size: number): number {
    return this.#pass(size);
  }

  /** Fails: MalformedRecord */
  text(length: number): string {
    const start = this.#pass(length);
    return length === 0 ? "" : this.#text.toString("utf8", start, this.at);
  }

  /** Fails: MalformedRecord */
  part(length: number): Uint8Array {
    const start = this.#pass(length) - this.#bytes.byteOffset;
    return length === 0 ? noBytes : this.#bytes.subarray(start, start + length);
  }

  /** Everything that has not been read yet. */
  rest(): Uint8Array {
    return this.part(this.#limit - this.at);
  }

  /** Checks that the frame that began at `start` is as long as it says. Fails: MalformedRecord */
  endFrame(start: number, length: number): void {
    assertFits(this.at - start === length, this.#what);
  }

  #pass(length: number): number {
    const start = this.at;
    this.at = start + length;
    assertFits(this.at <= this.#limit, this.#what);
    return start;
  }
}

/** Begins to read a record, whose first byte is its version. Fails: MalformedRecord if that is unknown, or the record has less than `least` bytes */
export function reading(bytes: Uint8Array, what: string, least: number): Reading {
  assertRecord(bytes, what, least);
  return new Reading(bytes, what);
}

/** JSON as it is sent: `undefined` is no bytes at all. */
export const jsonBytes = (value: unknown): Uint8Array =>
  value === undefined ? noBytes : utf8(JSON.stringify(value) ?? "");

/** Reads back {@link jsonBytes}. Fails: MalformedRecord */
export function jsonOf(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(textOf(bytes));
  } catch (cause) {
    throw new MalformedRecord({ what: "JSON", reason: (cause as Error).message });
  }
}

/** Throws {@link MalformedRecord} unless the record has a known version and at least `length` bytes. */
export function assertRecord(bytes: Uint8Array, what: string, length: number): void {
  if (bytes.length < length)
    throw new MalformedRecord({ what, reason: `${bytes.length} bytes, at least ${length} expected` });
  if (bytes[0] !== 1) throw new MalformedRecord({ what, reason: `format version ${bytes[0]}, only 1 is known` });
}

export function assertFits(fits: boolean, what: string): void {
  if (!fits) throw new MalformedRecord({ what, reason: "a length field points past the end" });
}
