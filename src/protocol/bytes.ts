// Text and numbers in binary entries. Little endian throughout.
import { MalformedRecord } from "../domain/errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const noBytes: Uint8Array = new Uint8Array(0);

export const utf8 = (text: string): Uint8Array => (text === "" ? noBytes : encoder.encode(text));
export const textOf = (bytes: Uint8Array): string => (bytes.length === 0 ? "" : decoder.decode(bytes));

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** JSON as it travels: `undefined` is no bytes at all. */
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

/** Throws {@link MalformedRecord} unless the record has the version that this code reads and at least `length` bytes. */
export function assertRecord(bytes: Uint8Array, what: string, length: number): void {
  if (bytes.length < length)
    throw new MalformedRecord({ what, reason: `${bytes.length} bytes, at least ${length} expected` });
  if (bytes[0] !== 1) throw new MalformedRecord({ what, reason: `format version ${bytes[0]}, only 1 is known` });
}

export function assertFits(fits: boolean, what: string): void {
  if (!fits) throw new MalformedRecord({ what, reason: "a length field points behind the end" });
}
