// The ids of runs: those of callers, and those that are made, alone or as places in a bundle.
import { MalformedRecord } from "./errors.ts";

const utf8 = new TextEncoder();
const maxBytes = 256;

/** Returns the id if it is a text of 1 to 256 UTF-8 bytes, else throws a TypeError. */
export function assertRunId(id: unknown, where: string): string {
  if (isRunId(id)) return id;
  const shown = typeof id === "string" ? JSON.stringify(id.length > 40 ? `${id.slice(0, 40)}…` : id) : String(id);
  throw new TypeError(
    `${where}: ${shown} is not a valid run id; use a string of 1 to ${maxBytes} UTF-8 bytes, for example "order-42"`,
  );
}

export const isRunId = (id: unknown): id is string => typeof id === "string" && id.isWellFormed() && isDecodedRunId(id);

/** Like {@link isRunId}, for a text that was decoded from UTF-8 and so is well-formed. */
export const isDecodedRunId = (id: string): boolean =>
  id.length > 0 && (id.length <= maxBytes / 4 || utf8.encode(id).length <= maxBytes);

const plain = /^[A-Za-z0-9_-]+$/;
const plainCodes = Uint8Array.from({ length: 128 }, (_, code) => Number(plain.test(String.fromCharCode(code))));

/** `plain.test`, in half its time: the id of every run that an engine folds is looked at. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (plainCodes[text.charCodeAt(i)] !== 1) return false;
  return text !== "";
}

const escaped = (byte: number): string => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/** What an ASCII character is in a token. */
const tokens = Array.from({ length: 128 }, (_, code) =>
  plainCodes[code] === 1 ? String.fromCharCode(code) : escaped(code),
);
const [equals, zero, nine, letterA, letterF] = [0x3d, 0x30, 0x39, 0x41, 0x46];

/** The value of an upper-case hexadecimal digit; NaN for anything else. */
const hexAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  if (code >= zero && code <= nine) return code - zero;
  return code >= letterA && code <= letterF ? code - letterA + 10 : Number.NaN;
};

/** The token of an id of ASCII characters, as those of all children are; undefined for any other. */
function asciiToken(id: string): string | undefined {
  let token = "";
  for (let i = 0; i < id.length; i++) {
    const part = tokens[id.charCodeAt(i)];
    if (part === undefined) return undefined;
    token += part;
  }
  return token;
}

/** The other way round; undefined also for what {@link encodeRunId} does not write. */
function asciiId(token: string): string | undefined {
  let id = "";
  for (let i = 0; i < token.length; i++) {
    const code = token.charCodeAt(i);
    if (plainCodes[code] === 1) {
      id += token[i];
      continue;
    }
    const meant = code === equals ? hexAt(token, i + 1) * 16 + hexAt(token, i + 2) : Number.NaN;
    if (!(meant < 128) || plainCodes[meant] === 1) return undefined;
    id += String.fromCharCode(meant);
    i += 2;
  }
  return id;
}

/** Writes an id as one subject token: `[A-Za-z0-9_-]` as they are, every other UTF-8 byte as `=XX`. */
export function encodeRunId(id: string): string {
  if (isPlain(id)) return id;
  const ascii = asciiToken(id);
  if (ascii !== undefined) return ascii;
  let token = "";
  for (const byte of utf8.encode(id)) token += plainCodes[byte] === 1 ? String.fromCharCode(byte) : escaped(byte);
  return token;
}

/**
 * Reads back what {@link encodeRunId} wrote, and nothing else: an id that is written in two ways would be two runs for the server, and one for
 * the fold. Fails: MalformedRecord
 */
export function decodeRunId(token: string): string {
  if (token.length <= maxBytes && isPlain(token)) return token;
  const ascii = asciiId(token);
  if (ascii !== undefined && ascii !== "" && ascii.length <= maxBytes) return ascii;
  const id = idIn(token);
  if (id !== undefined && isRunId(id) && encodeRunId(id) === token) return id;
  throw new MalformedRecord({ what: "run id", reason: `${JSON.stringify(token.slice(0, 80))} is not an encoded id` });
}

function idIn(token: string): string | undefined {
  try {
    return decodeURIComponent(token.replaceAll("=", "%"));
  } catch {
    return undefined;
  }
}

/** Whether a text is one token of a subject, as names and generated ids are. */
export const isToken = (text: string): boolean => text.length <= maxBytes && isPlain(text);

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** Ids for the runs of one bundle. */
export interface BundleIds {
  readonly name: string;
  idAt(place: number): string;
}

const placeStart = 15;
const placeEnd = 17;
const generated = new RegExp(`^[${alphabet}]{26}$`);

/**
 * Makes a generator of names for bundles, and ids for their runs, that sort by the time of their creation, also within one millisecond.
 *
 * Shape of an id: 10 characters of time, 5 of a counter, 2 of the place in the bundle, 9 of chance. The name is the id without the place.
 * Unique across processes by chance (45 bits).
 */
export function makeBundleIdGenerator(now: () => number = Date.now): () => BundleIds {
  const random = crypto.getRandomValues(new Uint8Array(9));
  const suffix = Array.from(random, (byte) => alphabet[byte & 31]).join("");
  let time = 0;
  let prefix = "";
  let counter = 0;
  return () => {
    const current = now();
    if (current > time) {
      time = current;
      prefix = base32(time, 10);
      counter = 0;
    }
    counter += 1;
    const start = prefix + base32(counter, 5);
    return { name: start + suffix, idAt: (place) => start + base32(place, 2) + suffix };
  };
}

/** Makes a generator of single ids of the same shape. */
export function makeRunIdGenerator(now?: () => number): () => string {
  const next = makeBundleIdGenerator(now);
  return () => next().idAt(0);
}

/** The name of the bundle in which a run of this id may have been created; undefined for an id that was not generated. */
export const bundleOfId = (id: string): string | undefined =>
  generated.test(id) ? id.slice(0, placeStart) + id.slice(placeEnd) : undefined;

function base32(value: number, length: number): string {
  let text = "";
  for (let rest = value, i = 0; i < length; i++, rest = Math.floor(rest / 32)) text = alphabet[rest % 32] + text;
  return text;
}
