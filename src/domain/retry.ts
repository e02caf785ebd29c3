// Retries: whether a failed run is tried again, and when.
import { type DurationInput, parseDuration } from "./duration.ts";
import { assertKnownOptions, namesOf } from "./known-options.ts";
import { assertNumber, assertOneOf, assertType, assertWhole } from "./option-values.ts";

/** How often and when a failed run is tried again. Units: milliseconds; `jitter` is the share (0…1) by which a delay may be shortened */
export interface RetryPolicy {
  readonly limit: number;
  readonly backoff: "fixed" | "exponential";
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: number;
  readonly retryIf?: (error: unknown) => boolean;
}

/** A number of retries, or the whole policy. */
export type RetryInput =
  | number
  | {
      /** Retries after the first attempt. */
      readonly limit: number;
      /** @default "exponential" */
      readonly backoff?: "fixed" | "exponential";
      /** The first delay. @default "1s" */
      readonly base?: DurationInput;
      /** Growth of exponential delays. @default 2 */
      readonly factor?: number;
      /** The longest delay. @default "5m" */
      readonly max?: DurationInput;
      /** `true` is 0.2. @default 0 */
      readonly jitter?: boolean | number;
      /** Says whether an error is worth another attempt; `false` fails the run at once. */
      readonly retryIf?: (error: unknown) => boolean;
    };

const known = namesOf<Exclude<RetryInput, number>>({
  limit: true,
  backoff: true,
  base: true,
  factor: true,
  max: true,
  jitter: true,
  retryIf: true,
});

/** Reads the option `retries`; throws a TypeError or RangeError that names the value, the rule and an example. */
export function parseRetry(input: RetryInput | undefined, where: string): RetryPolicy {
  const given = typeof input === "object" && input !== null ? input : { limit: input ?? 0 };
  assertKnownOptions(given, { options: known, of: "retries", where, example: '{ limit: 3, base: "1s" }' });
  const { limit, backoff = "exponential", factor = 2, jitter = 0, retryIf } = given;
  const share = jitter === true ? 0.2 : Number(jitter);
  assertWhole(limit, given === input ? `${where}: limit` : where, { from: 0, to: 1_000, example: "{ retries: 3 }" });
  assertOneOf(backoff, `${where}: backoff`, ["fixed", "exponential"], '{ backoff: "fixed" }');
  const isNumber = (value: unknown, from: number, to: number) =>
    typeof value === "number" && value >= from && value <= to;
  const factorRule = "a number of at least 1";
  assertNumber(isNumber(factor, 1, Number.MAX_VALUE), `${where}: factor`, factorRule, factor, "{ factor: 2 }");
  const jitterRule = "true, false or a number from 0 to 1";
  assertNumber(isNumber(share, 0, 1), `${where}: jitter`, jitterRule, jitter, "{ jitter: 0.2 }");
  assertType(retryIf === undefined || typeof retryIf === "function", `${where}: retryIf`, "a function", retryIf);
  return {
    limit,
    backoff,
    baseMs: parseDuration(given.base ?? 1_000, `${where}: base`),
    factor,
    maxMs: parseDuration(given.max ?? 300_000, `${where}: max`),
    jitter: share,
    ...(retryIf && { retryIf }),
  };
}

/** The pause after the failed attempt `attempt` (from 1), in milliseconds; `random` gives 0…1. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const grown = policy.backoff === "fixed" ? policy.baseMs : policy.baseMs * policy.factor ** (attempt - 1);
  const capped = Math.min(Number.isNaN(grown) ? 0 : grown, policy.maxMs); // 0 × ∞: no base grows to nothing
  return policy.jitter === 0 ? capped : Math.round(capped * (1 - policy.jitter * random()));
}
