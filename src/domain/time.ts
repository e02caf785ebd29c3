/** The end of the year 9999: anything later is a mistake. Units: epoch milliseconds */
export const latestTime = 253_402_300_799_999;

/** In UTC, for people; a time beyond the calendar is shown as its last moment. */
export const shownTime = (timeMs: number): string => new Date(Math.min(Math.max(timeMs, 0), latestTime)).toISOString();

/** `2026-11-29T21:04:05.678+01:00`: in the reader's time zone. */
export function zonedTime(timeMs: number): string {
  const offset = -new Date(timeMs).getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${digits(Math.trunc(Math.abs(offset) / 60))}:${digits(Math.abs(offset) % 60)}`;
  return shownTime(timeMs + offset * 60_000).slice(0, -1) + zone;
}

/** A sentence of the engine's, with its times in the reader's time zone, to the second. */
export const inLocalTime = (text: string): string =>
  text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) => toSeconds(zonedTime(Date.parse(time))));

/** Without the milliseconds that `zonedTime` shows. */
export const toSeconds = (zoned: string): string => zoned.replace(/\.\d+/, "");

const digits = (value: number): string => String(value).padStart(2, "0");

/** Fails: TypeError that shows what was `given`, the rule and an example. Units: epoch milliseconds */
export function assertTime(timeMs: number, given: unknown, where: string): number {
  if (timeMs >= 0 && timeMs <= latestTime) return timeMs;
  const shown = given instanceof Date && Number.isFinite(given.getTime()) ? given.toISOString() : String(given);
  throw new TypeError(
    `${where}: ${shown} is not a usable time; pass a Date or epoch milliseconds from 1970 to the year 9999, for example new Date("2030-01-31T09:00:00Z")`,
  );
}
