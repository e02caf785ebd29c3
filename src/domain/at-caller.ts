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
 * Remembers who calls, for what fails later: instead of an error without a line of the user's there is one of the same kind that comes from
 * the call. (A stack that is only written over is not what the runtimes print.)
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

/** The same for a call that is made often: who awaits it is looked for when it has failed, and costs nothing before. */
export function atAwaiter<E>(caller: Function, error: E): E {
  if (!isWithoutLine(error)) return error;
  Error.captureStackTrace?.(error, caller);
  return headed(error);
}

/** Where an error was made, as JavaScriptCore notes it. */
const ofPlace = new Set(["stack", "line", "column", "sourceURL", "originalLine", "originalColumn"]);

/** An error of natchet's, made where no code of the user is on the stack. */
const isWithoutLine = (error: unknown): error is Error =>
  error instanceof Error && "_tag" in error && typeof error.stack === "string" && foldStack(error.stack).length === 0;

/** A stack begins with what went wrong; of a message that is computed the runtime does not know. */
function headed<E extends Error>(error: E): E {
  const stack = [
    `${error.name}: ${error.message}`,
    ...foldStack(error.stack).filter((line) => !line.includes("…")),
  ].join("\n");
  return Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
}
