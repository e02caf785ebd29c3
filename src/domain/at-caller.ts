// What goes wrong is shown where the user wrote it, rather than where natchet noticed.
import { foldStack } from "./stack.ts";

/**
 * Runs a check with the user's line on top of the stack instead of natchet's.
 *
 * `caller` must still be on the stack: never `return atCaller(…)` from it, since Bun drops the frame of a tail call.
 */
export function atCaller<A>(caller: Function, check: () => A): A {
  try {
    return check();
  } catch (error) {
    if (error instanceof Error) Error.captureStackTrace?.(error, caller);
    throw error;
  }
}

/**
 * Remembers the caller, for later failures: an error without any line of the user's code is replaced by one of the same kind that points to
 * the call. (Overwriting its stack is not enough: the runtimes print the original one.)
 *
 * `caller` must still be on the stack.
 */
export function rememberCaller(caller: Function): (error: unknown) => unknown {
  const here = new Error();
  Error.captureStackTrace?.(here, caller);
  return (error) => {
    if (!isWithoutLine(error)) return error;
    Object.setPrototypeOf(here, Object.getPrototypeOf(error));
    for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(error)))
      if (!ofPlace.has(name)) Object.defineProperty(here, name, value);
    return headed(here);
  };
}

/** The same for frequent calls: whoever awaits it is looked up only when it fails, so success costs nothing. */
export function atAwaiter<E>(caller: Function, error: E): E {
  if (!isWithoutLine(error)) return error;
  Error.captureStackTrace?.(error, caller);
  return headed(error);
}

/** Where an error was created, as JavaScriptCore records it. */
const ofPlace = new Set(["stack", "line", "column", "sourceURL", "originalLine", "originalColumn"]);

/** An error of natchet's, made where no code of the user is on the stack. */
const isWithoutLine = (error: unknown): error is Error =>
  error instanceof Error && "_tag" in error && typeof error.stack === "string" && foldStack(error.stack).length === 0;

/** A stack begins with what went wrong; the runtime does not know of computed messages. */
function headed<E extends Error>(error: E): E {
  const stack = [
    `${error.name}: ${error.message}`,
    ...foldStack(error.stack).filter((line) => !line.includes("…")),
  ].join("\n");
  return Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
}
