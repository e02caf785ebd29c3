// The stored errors of a durable run's steps. They are recreated from their JSON in every case, so that a replay sees the same error.
import { NonRetryableError, RunCancelled, RunFailed } from "../../domain/errors.ts";
import type { ErrorClass } from "../../domain/step.ts";
import { isError, readProperty, toText } from "../../domain/thrown.ts";

interface StoredError {
  readonly is: "error";
  /** Name of its class. */
  readonly cls: string;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** The error's own fields, as JSON has them. */
  readonly own?: Record<string, unknown>;
  readonly cause?: Stored;
  readonly errors?: readonly Stored[];
}
type Stored = StoredError | { readonly is: "value"; readonly value?: unknown };

const builtIn: readonly ErrorClass[] = [
  ...[RunFailed, RunCancelled, NonRetryableError],
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError],
];
/** How deep causes and errors of AggregateErrors are kept, and how many on all levels together. */
const deepest = 16;
const mostInside = 64;
/** Units: characters */
const longestStack = 4_000;
const special = ["message", "stack", "cause", "errors"];

/** Never throws: a value that cannot be stored is described. */
export const encodeError = (thrown: unknown): string => JSON.stringify(storedOf(thrown, deepest, { left: mostInside }));

/** Recreates an error. Its class is found by name, first among `classes`. */
export const decodeError = (text: string, classes: readonly ErrorClass[] = []): unknown =>
  revived(JSON.parse(text) as Stored, [...classes, ...builtIn]);

function storedOf(thrown: unknown, depth: number, room: { left: number }): Stored {
  if (!isError(thrown)) return { is: "value", value: plain(thrown) };
  room.left -= 1;
  const stack = readProperty(thrown, "stack");
  const own = ownFields(thrown as object);
  const inside = (value: unknown) => storedOf(value, depth - 1, room);
  const hasRoom = depth > 0 && room.left > 0;
  const errors = hasRoom ? readProperty(thrown, "errors") : undefined;
  return {
    is: "error",
    cls: text(readProperty(readProperty(thrown, "constructor"), "name"), "Error"),
    name: text(readProperty(thrown, "name"), "Error"),
    message: text(readProperty(thrown, "message"), ""),
    ...(stack !== undefined && { stack: text(stack, "").slice(0, longestStack) }),
    ...(Object.keys(own).length > 0 && { own }),
    ...(hasRoom && hasCause(thrown) && { cause: inside(readProperty(thrown, "cause")) }),
    ...(Array.isArray(errors) && { errors: errors.slice(0, mostInside).map(inside) }),
  };
}

function ownFields(error: object): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  try {
    for (const key of Object.keys(error)) if (!special.includes(key)) own[key] = plain(readProperty(error, key));
  } catch {
    // a proxy may refuse to list its keys
  }
  return own;
}

function hasCause(error: unknown): boolean {
  try {
    return "cause" in (error as object);
  } catch {
    return false;
  }
}

const text = (value: unknown, otherwise: string): string =>
  typeof value === "string" ? value : value === undefined ? otherwise : toText(value);

function plain(value: unknown): unknown {
  try {
    const json = JSON.stringify(value);
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return toText(value);
  }
}

function revived(from: Stored, classes: readonly ErrorClass[]): unknown {
  if (from.is === "value") return from.value;
  const { cls, name, message, stack, own, cause, errors } = from;
  const error = new Error(message); // made by Error so that it is printed as one; its class follows
  const known = classes.find((each) => each.name === cls);
  if (known !== undefined) Object.setPrototypeOf(error, known.prototype as object);
  hide(error, "stack", stack);
  for (const [key, value] of Object.entries(own ?? {}))
    Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
  if (error.name !== name) hide(error, "name", name);
  if (cause !== undefined) hide(error, "cause", revived(cause, classes));
  if (errors !== undefined) {
    const inside = errors.map((each) => revived(each, classes));
    hide(error, "errors", inside);
  }
  return error;
}

const hide = (on: object, key: string, value: unknown): unknown =>
  Object.defineProperty(on, key, { value, writable: true, enumerable: false, configurable: true });
