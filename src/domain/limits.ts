// How many runs of a task may execute, and start: options of `@Task`, and the rules that workers register.
import { type DurationInput, parseDuration } from "./duration.ts";
import { isExpression, parseKey } from "./key-expression.ts";
import { assertKnownOptions } from "./known-options.ts";
import { assertOneOf, assertType, assertWhole } from "./option-values.ts";

/**
 * What becomes of runs beyond the limit of their key: `queue` lets them wait, and waiting keys take turns; `cancel-newest` cancels the one
 * that came last; `cancel-in-progress` cancels those that execute, to make room for it.
 */
export type ConcurrencyStrategy = "queue" | "cancel-newest" | "cancel-in-progress";

/** At most `max` runs of a task execute at once; with a key, `max` for each key. */
export interface ConcurrencyOptions {
  /** CEL over `input` and `metadata`. @default one limit for the whole task @example "input.userId" */
  readonly key?: string | undefined;
  /** Runs that may execute at the same time. */
  readonly max: number;
  /** What becomes of runs over the limit. @default "queue" */
  readonly strategy?: ConcurrencyStrategy | undefined;
}

/** At most `limit` units start within any time of length `per`. */
export interface RateLimitOptions {
  /**
   * A plain text is one limit for all tasks that name it; CEL over `input` or `metadata` is one for each value, within its task.
   * @example
   * ```ts
   * "openai"
   * "input.customerId"
   * ```
   */
  readonly key: string;
  /** Units that may start within `per`. */
  readonly limit: number;
  /** Length of the window, for example `"1m"`: a sliding window without a fixed beginning. */
  readonly per: DurationInput;
  /** What a run takes: a number, or CEL over `input` and `metadata`. @default 1 */
  readonly units?: number | string | undefined;
}

export interface ConcurrencyRule {
  readonly key: string | null;
  readonly max: number;
  readonly strategy: ConcurrencyStrategy;
}
export interface RateRule {
  readonly key: string;
  readonly limit: number;
  readonly perMs: number;
  readonly units: number | string;
}

type OneOrMany<T> = T | readonly T[];
export type ConcurrencyInput = number | OneOrMany<ConcurrencyOptions>;
export type RateLimitInput = OneOrMany<RateLimitOptions>;

/** Fails: TypeError or RangeError with the value, the rule and an example */
export function parseConcurrency(given: ConcurrencyInput | undefined, where: string): readonly ConcurrencyRule[] {
  return listOf(typeof given === "number" ? { max: given } : given, where).map((one) => {
    const example = '{ key: "input.userId", max: 2 }';
    assertKnownOptions(one, { options: ["key", "max", "strategy"], of: "a limit", where, example });
    const { key, max, strategy = "queue" } = one;
    return {
      key: key === undefined ? null : parseKey(key, `${where}: key`).text,
      max: assertWhole(max, `${where}: max`, { from: 1, example: "{ max: 2 }" }),
      strategy: assertOneOf(strategy, `${where}: strategy`, strategies),
    };
  });
}

/** Fails: TypeError or RangeError with the value, the rule and an example */
export function parseRateLimits(given: RateLimitInput | undefined, where: string): readonly RateRule[] {
  return listOf(given, where).map((one) => {
    const example = '{ key: "openai", limit: 100, per: "1m" }';
    assertKnownOptions(one, { options: ["key", "limit", "per", "units"], of: "a limit", where, example });
    const { key, limit, per, units = 1 } = one;
    assertType(typeof key === "string" && key !== "", `${where}: key`, "a string", key, example);
    const rule = {
      key: isExpression(key) ? parseKey(key, `${where}: key`).text : key,
      limit: assertWhole(limit, `${where}: limit`, { from: 1, example }),
      perMs: parseDuration(per, `${where}: per`),
      units:
        typeof units === "string"
          ? parseKey(units, `${where}: units`).text
          : assertWhole(units, `${where}: units`, { from: 0, example }),
    };
    if (rule.perMs <= 0) throw new RangeError(`${where}: per must be longer than 0; for example ${example}`);
    if (typeof rule.units === "number" && rule.units > rule.limit)
      throw new RangeError(`${where}: a run of ${rule.units} units can never fit into a limit of ${rule.limit}`);
    return rule;
  });
}

const strategies: readonly ConcurrencyStrategy[] = ["queue", "cancel-newest", "cancel-in-progress"];
/** Each run is counted by all of them. */
const mostLimits = 20;

function listOf<T>(given: OneOrMany<T> | undefined, where: string): readonly T[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return [given as T];
  if (given.length <= mostLimits) return given;
  throw new RangeError(`${where}: ${given.length} limits are too many; ${mostLimits} is the maximum`);
}
