// The options of a step, and their check.
import { type DurationInput, parseDuration } from "./duration.ts";
import { assertKnownOptions, namesOf } from "./known-options.ts";
import { parseRetry, type RetryInput, type RetryPolicy } from "./retry.ts";

/** A class of errors that comes back as what it was; its constructor is not called. */
export type ErrorClass = abstract new (...args: any[]) => Error;

/** The options of `@Step`, and of `ctx.step`. */
export interface StepOptions {
  /** Retries after a failed attempt; the first ones wait in place, a pause of more than 30 s holds no slot. @default 3, exponential from 1 s to 1 m */
  readonly retries?: RetryInput | undefined;
  /** How long one attempt may take. @default "60s" */
  readonly timeout?: DurationInput | undefined;
  /** Errors that the durable method gets back as instances of their class; all others come back as an Error of the same name. */
  readonly errors?: readonly ErrorClass[] | undefined;
}

/** What the code of a step can see of its attempt. */
export interface StepScope {
  /** The same for every attempt of this step and for no other step ever: an idempotency key. */
  readonly id: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Aborted when its time is up, its run is cancelled, or nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** A step, with its options checked. Units: milliseconds */
export interface StepDefinition {
  /** How often, and when, it is retried. */
  readonly retry: RetryPolicy;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
  /** Errors that come back as instances. */
  readonly errors: readonly ErrorClass[];
}

const known = namesOf<StepOptions>({ retries: true, timeout: true, errors: true });
const defaultTimeoutMs = 60_000;
const defaultRetries: RetryInput = { limit: 3, backoff: "exponential", base: "1s", max: "1m" };

/** Checks the options of a step; throws a TypeError or RangeError that names the value, the rule and an example. */
export function defineStep(options: StepOptions = {}, where = "step"): StepDefinition {
  assertKnownOptions(options, { options: known, of: "a step", where, example: '{ retries: 5, timeout: "30s" }' });
  const { retries = defaultRetries, timeout = defaultTimeoutMs, errors = [] } = options;
  const timeoutMs = parseDuration(timeout, `${where}: timeout`);
  if (timeoutMs === 0) throw new RangeError(`${where}: timeout must be longer than 0, for example "30s"`);
  if (!Array.isArray(errors) || !errors.every((one) => typeof one === "function"))
    throw new TypeError(`${where}: errors must be classes of errors, for example { errors: [CardDeclined] }`);
  const policy = typeof retries === "number" ? { ...(defaultRetries as object), limit: retries } : retries;
  return { retry: parseRetry(policy as RetryInput, `${where}: retries`), timeoutMs, errors };
}
