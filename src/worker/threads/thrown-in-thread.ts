import type { ErrorRecord } from "../../domain/error-record.ts";

/** An error as a thread told it: known by its name, with what it was caused by. */
export function errorFrom({ name, message, stack, cause, errors }: ErrorRecord): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  if (cause !== undefined) error.cause = errorFrom(cause);
  return errors === undefined ? error : Object.assign(error, { errors: errors.map(errorFrom) });
}
