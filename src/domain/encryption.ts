// What users say about encryption, checked before anything is opened.
import { Buffer } from "node:buffer";
import { assertKnownOptions, namesOf } from "./known-options.ts";
import { sealedField } from "./plain-fields.ts";

/** 32 bytes, or their text in base64 or hex. */
export type EncryptionKey = string | Uint8Array;

/** A user's own source of keys, for example a key management service. */
export type KeySource = (id: string) => EncryptionKey | undefined | Promise<EncryptionKey | undefined>;

/** What encrypts inputs, outputs, errors, log lines and chunks before they leave this process. */
export interface EncryptionOptions {
  /** Id of the key that encrypts from now on: 1 to 63 characters, readable by everybody. */
  readonly current: string;
  /** All keys that are still needed to read, by their ids; or a function, which is asked once for each id. */
  readonly keys: Readonly<Record<string, EncryptionKey>> | KeySource;
  /**
   * Fields of the inputs of a task that stand readable beside the ciphertext, for the keys of its limits and batches.
   * @example
   * ```ts
   * { "send-email": ["customerId"] }
   * ```
   */
  readonly plain?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Whether workers refuse inputs that are not encrypted. @default false */
  readonly required?: boolean | undefined;
}

const options = namesOf<EncryptionOptions>({ current: true, keys: true, plain: true, required: true });
const example = '{ current: "2026-11", keys: { "2026-11": process.env.TASK_KEY } }';
const longestId = 63;
const keyLength = 32;

/** Fails: TypeError, RangeError */
export function assertEncryption(given: EncryptionOptions | undefined): EncryptionOptions | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null)
    throw new TypeError(`encryption: ${String(given)} is not a set of options; for example ${example}`);
  assertKnownOptions(given, { options, of: "encryption", example });
  const { current, keys, plain = {} } = given;
  if (typeof keys !== "function" && (typeof keys !== "object" || keys === null))
    throw new TypeError(
      `encryption.keys: ${String(keys)} is neither keys by their ids nor a function; for example ${example}`,
    );
  assertKeyId(current, "encryption.current");
  if (typeof keys === "object") {
    for (const [id, key] of Object.entries(keys)) keyBytes(assertKeyId(id, "encryption.keys"), key);
    if (!Object.hasOwn(keys, current))
      throw new TypeError(`encryption.current: there is no key "${current}" in encryption.keys`);
  }
  for (const [task, fields] of Object.entries(plain))
    if (!Array.isArray(fields) || fields.some((field) => typeof field !== "string" || field === sealedField))
      throw new TypeError(
        `encryption.plain: the fields of task "${task}" must be a list of names; for example { "${task}": ["customerId"] }`,
      );
  return given;
}

/** What every sealed text begins with: a magic byte, a version, and the length of a key id, which is below 64. */
export const sealedPrefix = "9QE";
/** Where the id of the key stands in a sealed value, after its length. */
export const keyIdAt = 3;

/** The id of the key that opens a sealed value; undefined for a plain one. */
export function keyIdOf(value: unknown): string | undefined {
  const text = (value as Readonly<Record<string, unknown>> | null | undefined)?.[sealedField];
  if (typeof text !== "string" || !text.startsWith(sealedPrefix)) return undefined;
  const head = Buffer.from(text.slice(0, 2 * (keyIdAt + longestId)), "base64url");
  return head.subarray(keyIdAt, keyIdAt + (head[keyIdAt - 1] ?? 0)).toString();
}

function assertKeyId(id: unknown, where: string): string {
  if (typeof id === "string" && Buffer.byteLength(id) <= longestId && id.length > 0) return id;
  throw new TypeError(`${where}: ${String(id)} is not a key id of 1 to ${longestId} bytes; for example "2026-11"`);
}

/** A key as it is used; no message ever holds a part of it. Fails: TypeError, RangeError */
export function keyBytes(id: string, key: unknown): Uint8Array {
  const bytes = typeof key === "string" ? decoded(key.trim()) : key;
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(
      `encryption: key "${id}" must be ${keyLength} bytes, or their text in base64 or hex; "openssl rand -base64 32" makes one`,
    );
  if (bytes.length !== keyLength)
    throw new RangeError(
      `encryption: key "${id}" has ${bytes.length} bytes; AES-256 needs ${keyLength}, as "openssl rand -base64 32" prints them`,
    );
  return new Uint8Array(bytes);
}

const decoded = (text: string): Uint8Array => Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? "hex" : "base64"); // of base64url as well
