// Tasks whose handler gets many runs at once.
import { type DurationInput, parseDuration } from "./duration.ts";
import { parseKey } from "./key-expression.ts";
import { assertKnownOptions } from "./known-options.ts";
import { assertWhole } from "./option-values.ts";

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
  assertKnownOptions(given, { options: known, of: "a batch", where, example });
  const { size, interval = "100ms", bytes, key } = given;
  return {
    size: assertWhole(size, `${where}: size`, { from: 1, to: 1_000, example }),
    intervalMs: parseDuration(interval, `${where}: interval`),
    bytes: bytes === undefined ? null : assertWhole(bytes, `${where}: bytes`, { from: 1, example: "{ bytes: 65536 }" }),
    key: key === undefined ? null : parseKey(key, `${where}: key`).text,
  };
}
