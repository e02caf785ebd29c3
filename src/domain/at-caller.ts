// Wrong use is shown where it was written.

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
