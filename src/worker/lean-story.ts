// How the story of a run is told shorter where all of it does not fit into an entry.
import type { AttemptRecord, ErrorRecord } from "../domain/run.ts";
import type { FinalDetail } from "../protocol/outcome-entry.ts";

const longestMessage = 4_000;
const longestStack = 2_000;
/** Of an error inside another. */
const innerMessage = 400;
const innerStack = 1_000;
const briefMessage = 200;
/** Attempts of a run that had thousands. */
const lastAttempts = 100;

/** What an attempt threw, in bounds. */
export const shorten = (error: ErrorRecord): ErrorRecord => cutError(error, longestMessage, longestStack);

function cutError(
  { name, message, stack, cause, errors, ...rest }: ErrorRecord,
  most: number,
  ofStack: number,
): ErrorRecord {
  return {
    ...rest,
    name: cut(name, briefMessage),
    message: cut(message, most),
    ...(stack !== undefined && { stack: stack.slice(0, ofStack) }),
    ...(cause !== undefined && { cause: cutError(cause, innerMessage, innerStack) }),
    ...(errors !== undefined && { errors: errors.map((one) => cutError(one, innerMessage, innerStack)) }),
  };
}

export const shortened = (text: string): string => cut(text, longestMessage);

/** From the fullest to the barest. */
export const leanSteps: readonly ((detail: FinalDetail) => FinalDetail)[] = [withoutStacks, leanest];

function withoutStacks(detail: FinalDetail): FinalDetail {
  return { ...detail, attempts: detail.attempts.map(brief) };
}

/** The end of the run with its own error, and the last attempts without theirs. */
function leanest(detail: FinalDetail): FinalDetail {
  return { ...detail, attempts: detail.attempts.slice(-lastAttempts).map(({ error, ...record }) => record) };
}

function brief({ error, ...record }: AttemptRecord): AttemptRecord {
  return error === undefined
    ? record
    : { ...record, error: { name: error.name, message: cut(error.message, briefMessage) } };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
