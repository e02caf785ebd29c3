// Text and numbers in binary entries. Little endian throughout.
import { Buffer } from "node:buffer";
import { MalformedRecord } from "../domain/errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const noBytes: Uint8Array = new Uint8Array(0);

export const utf8 = (text: string): Uint8Array => (text === "" ? noBytes : encoder.encode(text));
export const textOf = (bytes: Uint8Array): string => (bytes.length === 0 ? "" : decoder.decode(bytes));

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The buffer that the socket read, with many records in it: one view and one buffer serve them all. */
let surrounding = surroundingOn(noBytes.buffer);

function surroundingOn(buffer: ArrayBufferLike) {
  return { buffer, view: new DataView(buffer), text: Buffer.from(buffer) };
}
function surroundingOf({ buffer }: Uint8Array): typeof surrounding {
  if (buffer !== surrounding.buffer) surrounding = surroundingOn(buffer);
  return surrounding;
}

/** A view on everything around `bytes`, to be read from their `byteOffset` on. */
export const surroundingViewOf = (bytes: Uint8Array): DataView => surroundingOf(bytes).view;

/** A part of `bytes` as text, without a view on it. */
export const textIn = (bytes: Uint8Array, start: number, end: number): string =>
  surroundingOf(bytes).text.toString("utf8", bytes.byteOffset + start, bytes.byteOffset + end);

/** Where a record is written before its length is known. */
export interface Draft {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const draftOf = (length: number): Draft => {
  const bytes = new Uint8Array(length);
  return { bytes, view: viewOf(bytes) };
};
const shared = draftOf(64 * 1024);

/**
 * Space for a record of at most `length` bytes, with undefined content. {@link finish} it before starting the next one.
 *
 * Small records share one place: an array and a view for each would cost several times as much as filling it.
 */
export const draft = (length: number): Draft => (length <= shared.bytes.length ? shared : draftOf(length));

export const finish = ({ bytes }: Draft, length: number): Uint8Array =>
  bytes === shared.bytes ? bytes.slice(0, length) : bytes.subarray(0, length);

/** Most bytes that a text takes. */
export const mostBytes = (text: string): number => text.length * 3;

/** Writes a text as UTF-8; returns where it ends. */
export function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return at + encoder.encodeInto(text, bytes.subarray(at)).written;
    bytes[at + i] = code;
  }
  return at + text.length;
}

/** Writes bytes; returns where they end. */
export function writeBytes(bytes: Uint8Array, at: number, part: Uint8Array): number {
  if (part.length > 0) bytes.set(part, at);
  return at + part.length;
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
