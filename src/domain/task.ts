// domain/: what users declare and ask for. No I/O, no clock.

import { type AffinityInput, parseAffinity } from "./affinity.ts";
import { type BatchOptions, parseBatch } from "./batch.ts";
import type { CronRule } from "./cron.ts";
import { type DurationInput, parseDuration, parseLimit } from "./duration.ts";
import { assertKnownOptions, namesOf } from "./known-options.ts";
import { type ConcurrencyInput, parseConcurrency, parseRateLimits, type RateLimitInput } from "./limits.ts";
import { assertMiddleware, type ExecuteMiddleware } from "./middleware.ts";
import { assertName } from "./names.ts";
import { assertOneOf, assertType, assertWhole } from "./option-values.ts";
import { assertPlainFields } from "./plain-fields.ts";
import type { Sticky, TaskPolicies } from "./policies.ts";
import { parseRetry, type RetryInput, type RetryPolicy } from "./retry.ts";
import { type AnySchema, type StandardSchema, toStandard } from "./schema.ts";

/** The options of `@Task`. */
export interface TaskOptions {
  /** Checks the input before the task sees it. */
  readonly input?: AnySchema | undefined;
  /** Checks what the task returns. */
  readonly output?: AnySchema | undefined;
  /** Retries after a failed attempt. @default 0 */
  readonly retries?: RetryInput | undefined;
  /** How long one attempt may take, from the first line of the task's code. @default "60s" */
  readonly timeout?: DurationInput | undefined;
  /**
   * How long a run may wait in the queue before it is cancelled; `null` means for ever. Counts only while an engine leads, and starts again at
   * each retry.
   * @default null
   */
  readonly scheduleTimeout?: DurationInput | null | undefined;
  /** 1…9, higher first. @default 1 */
  readonly priority?: number | undefined;
  /**
   * How many of its runs may execute at once, in total or per key. With several limits, all must be met.
   * @example
   * ```ts
   * { key: "input.userId", max: 2 }
   * ```
   */
  readonly concurrency?: ConcurrencyInput | undefined;
  /** How many of its runs may start in a period. With several limits, all must be met. @example { key: "openai", limit: 100, per: "1m" } */
  readonly rateLimit?: RateLimitInput | undefined;
  /** How many slots of one worker a run takes. @default 1 */
  readonly slots?: number | undefined;
  /** Which workers may get its runs, by their labels. @example { gpu: { value: "a100", required: true } } */
  readonly affinity?: AffinityInput | undefined;
  /** Prefer (`soft`) or require (`hard`) the worker of the previous attempt, or of the parent. */
  readonly sticky?: Sticky | undefined;
  /** The handler gets many inputs at once, `(inputs, ctx)`, and returns an output (or an Error) for each. @example { size: 50, interval: "200ms" } */
  readonly batch?: BatchOptions | undefined;
  /**
   * Runs attempts in threads of their own, for CPU-heavy code; a cancellation or timeout ends the thread. `true` finds the class in the main
   * module (with `natchet worker`, in the files it loads), a URL in that module.
   * @example
   * ```ts
   * { thread: true }
   * { thread: import.meta.url }
   * ```
   */
  readonly thread?: boolean | string | undefined;
  /**
   * Fields of the input that stay readable where inputs are encrypted: those that the keys of its limits and batches read.
   * @example
   * ```ts
   * { plain: ["customerId"], concurrency: { key: "input.customerId", max: 1 } }
   * ```
   */
  readonly plain?: readonly string[] | undefined;
  /** Wraps each attempt of this task, inside the middleware of its worker; the first is outermost. */
  readonly middleware?: readonly ExecuteMiddleware[] | undefined;
}

/** A task as a worker knows it: name and policies, read and checked. */
export interface TaskDefinition {
  /** What callers name it by. */
  readonly name: string;
  /** Checks the input before the handler sees it. */
  readonly input: StandardSchema | undefined;
  /** Checks what the handler returns. */
  readonly output: StandardSchema | undefined;
  /** How often and when it is tried again. */
  readonly retry: RetryPolicy;
  /** Time that one attempt may take. */
  readonly timeoutMs: number;
  /** Time that a run may wait in the queue; null is without limit. */
  readonly scheduleTimeoutMs: number | null;
  /** 1…9, higher first. */
  readonly priority: number;
  /** Absent where nothing of it is used. */
  readonly policies?: TaskPolicies;
  /** The task that is run when a run of this one has finally failed. */
  readonly onFailure?: string;
  /** Whether its runs carry a failed run; see `@OnFailure`. */
  readonly handlesFailures?: boolean;
  /** Executed in a thread: `true`, or the module that holds the class. */
  readonly thread?: true | string;
  /** Schedules that its code declares. */
  readonly crons?: readonly CronRule[];
  /** Fields of the input that stay readable where inputs are encrypted. */
  readonly plain?: readonly string[];
  /** Around its handler, the first outermost. */
  readonly middleware?: readonly ExecuteMiddleware[];
  /** Set for a durable task. */
  readonly durable?: DurablePolicy;
}

/** What is durable about a task, read and checked. */
export interface DurablePolicy {
  /** The version of its code, raised by hand. */
  readonly version: number;
  /** Time that the whole run may take; null is without limit. */
  readonly deadlineMs: number | null;
  /** Time that it may take to end once it is cancelled. */
  readonly cancelTimeoutMs: number;
}

export const defaultTimeoutMs = 60_000;
const defaultPriority = 1;
const known = namesOf<TaskOptions>({
  input: true,
  output: true,
  retries: true,
  timeout: true,
  scheduleTimeout: true,
  priority: true,
  concurrency: true,
  rateLimit: true,
  slots: true,
  affinity: true,
  sticky: true,
  batch: true,
  middleware: true,
  thread: true,
  plain: true,
});

/** Checks a task's name and options; throws a TypeError or RangeError that names the value, the rule and an example. */
export function checkTask(
  name: unknown,
  options: TaskOptions = {},
  where = `task ${JSON.stringify(name)}`,
): TaskDefinition {
  assertKnownOptions(options, { options: known, of: "a task", where });
  const middleware = assertMiddleware(options.middleware, where);
  const plain = assertPlainFields(options.plain, where);
  return {
    name: assertName("task", name, where),
    input: options.input === undefined ? undefined : toStandard(options.input, `${where}: input`),
    output: options.output === undefined ? undefined : toStandard(options.output, `${where}: output`),
    retry: parseRetry(options.retries, `${where}: retries`),
    timeoutMs: positive(parseDuration(options.timeout ?? defaultTimeoutMs, `${where}: timeout`), `${where}: timeout`),
    scheduleTimeoutMs: parseLimit(options.scheduleTimeout, `${where}: scheduleTimeout`),
    priority: assertPriority(options.priority ?? defaultPriority, where),
    ...policiesOf(options, where),
    ...threadOf(options, where),
    ...(middleware.length > 0 && { middleware }),
    ...(plain !== undefined && { plain }),
  };
}

function threadOf({ thread, batch }: TaskOptions, where: string): { readonly thread?: true | string } {
  if (thread === undefined || thread === false) return {};
  const isModule = thread === true || (typeof thread === "string" && /^(file:|https?:|\/)/.test(thread));
  assertType(isModule, `${where}: thread`, "true or the URL of a module", thread, "{ thread: import.meta.url }");
  if (batch !== undefined) throw new TypeError(`${where}: batch and thread cannot be combined; use one of the two`);
  return { thread };
}

function policiesOf(options: TaskOptions, where: string): { readonly policies?: TaskPolicies } {
  const concurrency = parseConcurrency(options.concurrency, `${where}: concurrency`);
  const rateLimits = parseRateLimits(options.rateLimit, `${where}: rateLimit`);
  const affinity = parseAffinity(options.affinity, `${where}: affinity`);
  const batch = parseBatch(options.batch, `${where}: batch`);
  const { slots = 1, sticky } = options;
  assertWhole(slots, `${where}: slots`, { from: 1, example: "{ slots: 4 }" });
  if (sticky !== undefined) assertOneOf(sticky, `${where}: sticky`, ["soft", "hard"]);
  const policies = {
    ...(concurrency.length > 0 && { concurrency }),
    ...(rateLimits.length > 0 && { rateLimits }),
    ...(slots > 1 && { slots }),
    ...(affinity.length > 0 && { affinity }),
    ...(sticky !== undefined && { sticky }),
    ...(batch !== undefined && { batch }),
  };
  return Object.keys(policies).length === 0 ? {} : { policies };
}

export const assertPriority = (value: number, where: string): number =>
  assertWhole(value, `${where}: priority`, { from: 1, to: 9, example: "{ priority: 3 }" });

function positive(ms: number, where: string): number {
  if (ms > 0) return ms;
  throw new RangeError(`${where}: must be longer than 0, for example "30s"`);
}
