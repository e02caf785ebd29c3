// User code may throw, return and log anything: objects without a prototype, revoked proxies, errors whose getters throw. Only here are
// such values looked into; nothing of this module throws.
import type { ErrorRecord } from "./error-record.ts";

/** How far causes, and the errors of an AggregateError, are followed. */
const deepest = 4;
/** How many nested errors of one error are kept, over all levels. */
const mostInside = 8;

/** Turns whatever was thrown into what is stored. */
export const errorRecordOf = (thrown: unknown): ErrorRecord => recordOf(thrown, deepest, [thrown]);

/** Recreates the error of a record, with its name, its stack and its cause. */
export function errorFrom({ name, message, stack, cause, errors }: ErrorRecord): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  if (cause !== undefined) error.cause = errorFrom(cause);
  return errors === undefined ? error : Object.assign(error, { errors: errors.map(errorFrom) });
}

/** A text for any value: itself, its message, JSON, or what `String` makes of it. */
export function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (isError(value)) {
    const message = readText(value, "message") || readText(value, "name");
    if (message) return message;
  }
  return inWords(value);
}

/** A property of a value that may be anything; undefined when reading it throws. */
export function readProperty(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** True for errors from other realms and threads, too. */
export function isError(value: unknown): boolean {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
  } catch {
    return false;
  }
}

/** `met` holds what is already in the record: cycles are cut there. */
function recordOf(thrown: unknown, depth: number, met: unknown[]): ErrorRecord {
  if (!isError(thrown)) return { name: "Error", message: typeof thrown === "string" ? thrown : unusual(thrown) };
  const stack = readText(thrown, "stack");
  const inside = (value: unknown): ErrorRecord | undefined => {
    if (value === undefined || depth === 0 || met.length > mostInside || met.includes(value)) return undefined;
    met.push(value);
    return recordOf(value, depth - 1, met);
  };
  const cause = inside(readProperty(thrown, "cause"));
  const errors = listOf(readProperty(thrown, "errors")).flatMap((one) => inside(one) ?? []);
  return {
    name: readText(thrown, "name") ?? "Error",
    message: readText(thrown, "message") ?? "an error whose message cannot be read",
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause }),
    ...(errors.length > 0 && { errors }),
  };
}

const unusual = (value: unknown): string => `thrown value: ${inWords(value)}`;

function inWords(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle, or a number that JSON cannot represent.
  }
  try {
    return String(value);
  } catch {
    return `${typeof value} that cannot be displayed`;
  }
}

/** Undefined if it cannot be read; anything but text is described. */
function readText(value: unknown, name: string): string | undefined {
  const found = readProperty(value, name);
  return found === undefined || typeof found === "string" ? found : inWords(found);
}

/** The first of an array that may be a proxy. */
function listOf(value: unknown): unknown[] {
  try {
    return Array.isArray(value) ? Array.prototype.slice.call(value, 0, mostInside) : [];
  } catch {
    return [];
  }
}
