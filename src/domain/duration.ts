/** Milliseconds as a number, or text such as `500ms`, `30s`, `5m`, `1h30m`, `7d`; at most 10 years. */
export type DurationInput = number | `${number}${"ms" | "s" | "m" | "h" | "d"}` | TwoUnits | ThreeUnits;
type TwoUnits =
  | `${number}d${number}${"h" | "m"}`
  | `${number}h${number}${"m" | "s"}`
  | `${number}m${number}s`
  | `${number}s${number}ms`;
type ThreeUnits = `${number}d${number}h${number}m` | `${number}h${number}m${number}s`;

/** Ten years: anything longer is a mistake. */
export const longestDurationMs = 3_653 * 86_400_000;

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const whole = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Reads a duration.
 *
 * Units: result in milliseconds, from 0 to 10 years
 * Fails: TypeError, or RangeError for a duration that is too long, with the value, the rule and an example
 */
export function parseDuration(value: DurationInput | string, where: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return bounded(value, value, where);
  if (typeof value === "string" && whole.test(value)) {
    let total = 0;
    for (const [, amount, unit] of value.matchAll(part)) total += Number(amount) * unitMs[unit!]!;
    return bounded(total, value, where);
  }
  const shown = shorten(typeof value === "string" ? JSON.stringify(value) : String(value));
  throw new TypeError(
    `${where}: ${shown} is not a valid duration; use milliseconds or a string with ms, s, m, h and d, for example 500, "30s" or "1h30m"`,
  );
}

/** Parses the duration of a limit. Null is without limit, and so is undefined. */
export const parseLimit = (value: DurationInput | null | undefined, where: string): number | null =>
  value === undefined || value === null ? null : parseDuration(value, where);

function bounded(ms: number, given: DurationInput | string, where: string): number {
  if (ms <= longestDurationMs) return ms;
  const shown = shorten(typeof given === "string" ? JSON.stringify(given) : `${given} (milliseconds)`);
  throw new RangeError(`${where}: ${shown} is longer than 10 years, the maximum; for example "30d"`);
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 50)}…` : text);

/** Formats milliseconds for people: `1h30m`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000 && ms % 1_000 !== 0) return `${(ms / 1_000).toFixed(1)}s`;
  let rest = Math.round(ms / 1_000) * 1_000;
  let text = "";
  for (const unit of ["d", "h", "m", "s"]) {
    const count = Math.floor(rest / unitMs[unit]!);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs[unit]!;
  }
  return text;
}
