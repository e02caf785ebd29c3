// A run's error for people: what happened, where, and why.
import { printable } from "../domain/printable.ts";
import { errorDetails } from "../domain/stack.ts";
import type { ErrorRecord } from "../mod.ts";

/** Name and message, then the user's lines of its stack, then the errors inside it and what caused it. */
export const errorText = (error: ErrorRecord): string =>
  [`${error.name}: ${printable(error.message)}`, ...errorDetails(error)].join("\n");
