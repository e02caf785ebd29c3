// The options of a durable task, and their check.
import { type DurationInput, longestDurationMs, parseDuration, parseLimit } from "./duration.ts";
import { assertKnownOptions, namesOf } from "./known-options.ts";
import { assertWhole } from "./option-values.ts";
import { checkTask, type DurablePolicy, type TaskDefinition, type TaskOptions } from "./task.ts";

type SharedOption =
  | ("input" | "output" | "scheduleTimeout" | "priority")
  | ("concurrency" | "rateLimit" | "slots" | "affinity" | "sticky" | "plain");

/** The options of `@Durable`: those of `@Task` that make sense for a run that may take months, and its own. */
export interface DurableOptions extends Pick<TaskOptions, SharedOption> {
  /** The version of its code, which counts beside the text of its class: a run that does not fit one is tried on workers with another. @default 1 */
  readonly version?: number | undefined;
  /** How long the whole run may take, from its creation; then it is cancelled. `null` means for ever. @default null */
  readonly deadline?: DurationInput | null | undefined;
  /** How long its `catch` may take to compensate when it is cancelled. @default "5m" */
  readonly cancelTimeout?: DurationInput | undefined;
}

const known = namesOf<DurableOptions>({
  ...{ input: true, output: true, scheduleTimeout: true, priority: true, concurrency: true, rateLimit: true },
  ...{ slots: true, affinity: true, sticky: true, plain: true, version: true, deadline: true, cancelTimeout: true },
});
const elsewhere: Readonly<Record<string, string>> = {
  retries: "a durable method is not tried again as a whole, its steps are; write @Step({ retries: 5 })",
  timeout:
    'the time of a durable run is limited by its deadline and those of its steps, for example { deadline: "30d" }',
  batch: "a durable method gets one input; use ctx.map for many",
  thread: "a durable method does no work of its own; a step may run a task in a thread as a child",
  middleware: "middleware awaits what natchet does not know of; wrap the code of a step instead",
};

/** Checks the name and the options of a durable task; throws a TypeError or RangeError that names the value, the rule and an example. */
export function checkDurable(name: unknown, options: DurableOptions, where: string): TaskDefinition {
  for (const option of Object.keys(options))
    if (option in elsewhere) throw new TypeError(`${where}: "${option}" is not an option here: ${elsewhere[option]}`);
  assertKnownOptions(options, { options: known, of: "a durable task", where, example: '{ deadline: "30d" }' });
  const { version = 1, deadline, cancelTimeout = "5m", ...ofTask } = options;
  const durable: DurablePolicy = {
    version: assertWhole(version, `${where}: version`, { from: 1, to: 1_000_000, example: "{ version: 2 }" }),
    deadlineMs: parseLimit(deadline, `${where}: deadline`),
    cancelTimeoutMs: parseDuration(cancelTimeout, `${where}: cancelTimeout`),
  };
  return { ...checkTask(name, ofTask, where), timeoutMs: longestDurationMs, durable };
}
