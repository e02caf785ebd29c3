// Tasks whose handler gets many runs at once.
import { type DurationInput, parseDuration } from "./duration.ts";
import { parseKey } from "./key-expression.ts";
import { assertKnownOptions } from "./known-options.ts";

/** A batch starts when it is full, or when its oldest run has waited for `interval`. */
export interface BatchOptions {
  /** Runs in a batch at most, 1 to 1,000. */
  readonly size: number;
  /** How long the first run of a batch waits for others. @default "100ms" */
  readonly interval?: DurationInput | undefined;
  /** Bytes of input, as JSON, that start a batch; none holds more unless one run does. @default no limit */
  readonly bytes?: number | undefined;
  /** Only runs of the same key share a batch: CEL over `input` and `metadata`. @example "input.model" */
  readonly key?: string | undefined;
}
export interface BatchRule {
  readonly size: number;
  readonly intervalMs: number;
  readonly bytes: number | null;
  readonly key: string | null;
}

const example = '{ size: 50, interval: "200ms" }';
const known = ["size", "interval", "bytes", "key"];

/** Fails: TypeError or RangeError with the value, the rule and an example */
export function parseBatch(given: BatchOptions | undefined, where: string): BatchRule | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null)
    throw new TypeError(`${where} must be an object, not ${JSON.stringify(given)}; for example ${example}`);
  assertKnownOptions(given, { options: known, of: "a batch", where, example });
  const { size, interval = "100ms", bytes, key } = given;
  if (!Number.isInteger(size) || size < 1 || size > 1_000)
    throw new RangeError(
      `${where}: size must be a whole number from 1 to 1000, not ${String(size)}; for example ${example}`,
    );
  if (bytes !== undefined && !(Number.isInteger(bytes) && bytes > 0))
    throw new RangeError(
      `${where}: bytes must be a whole number from 1, not ${String(bytes)}; for example { bytes: 65536 }`,
    );
  return {
    size,
    intervalMs: parseDuration(interval, `${where}: interval`),
    bytes: bytes ?? null,
    key: key === undefined ? null : parseKey(key, `${where}: key`).text,
  };
}
