// Truncates errors before they become part of a run's story.
import type { ErrorRecord } from "../domain/error-record.ts";
import { cut } from "../wire/lean-story.ts";

const longestMessage = 4_000;
const longestStack = 2_000;
/** Of an error inside another. */
const innerMessage = 400;
const innerStack = 1_000;
const longestName = 200;

/** What an attempt threw, truncated. */
export const shorten = (error: ErrorRecord): ErrorRecord => cutError(error, longestMessage, longestStack);

function cutError(
  { name, message, stack, cause, errors, ...rest }: ErrorRecord,
  most: number,
  ofStack: number,
): ErrorRecord {
  return {
    ...rest,
    name: cut(name, longestName),
    message: cut(message, most),
    ...(stack !== undefined && { stack: stack.slice(0, ofStack) }),
    ...(cause !== undefined && { cause: cutError(cause, innerMessage, innerStack) }),
    ...(errors !== undefined && { errors: errors.map((one) => cutError(one, innerMessage, innerStack)) }),
  };
}

export const shortened = (text: string): string => cut(text, longestMessage);
