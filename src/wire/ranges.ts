// Ranges: what values from others may be, checked when they are decoded. A NaN in a heap, say, would stay there forever and block what is behind it.
import { MalformedRecord } from "../domain/errors.ts";

/** The last moment of the calendar; spans are no longer either. Units: epoch milliseconds */
export const lastMoment = 8.64e15;
/** Half of what a record has room for, so that whatever was read can still be incremented. */
const mostTurns = 2 ** 31;

export const isTime = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= lastMoment;
/** Turns and attempts count from 1. */
export const isTurn = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= mostTurns;
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
/** A place in the log, or within a bundle there. */
export const isOrigin = (value: unknown): value is number =>
  typeof value === "number" && value >= 1 && value <= Number.MAX_SAFE_INTEGER;
export const isText = (value: unknown): value is string => typeof value === "string";
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function assertRange(isInRange: boolean, what: string, field: string, value: unknown): void {
  if (isInRange) return;
  const shown = typeof value === "object" ? "an object" : String(value).slice(0, 40);
  throw new MalformedRecord({ what, reason: `${field} is ${shown}` });
}

/** Writes a time or a span so that it can be read again: NaN becomes 0, and nothing is later than the last moment. */
export function writeTime(view: DataView, at: number, time: number): void {
  view.setFloat64(at, time >= 0 ? Math.min(time, lastMoment) : 0, true);
}

/** Reads a time, or a span. Fails: MalformedRecord */
export function timeAt(view: DataView, at: number, what: string, field: string): number {
  const time = view.getFloat64(at, true);
  if (!isTime(time)) assertRange(false, what, field, time);
  return time;
}
