import { parseConcurrency, parseRateLimits } from "../../src/domain/limits.ts";
import type { TaskPolicies } from "../../src/domain/policies.ts";
import type { SchedulerOptions } from "../../src/scheduler/scheduler.ts";
import { simulatedOptions } from "./model-engine.ts";
import { handlerTask } from "./reaction-checks.ts";

/** What may go wrong. In a calm world workers and clients come, fail, retry and cancel, but no message is lost and no engine dies. */
export type Weather = "calm" | "rough";
/** Names are data: some are those of what every object has. */
const plainTasks = ["mail", "resize", "bill"];
const oddTasks = ["constructor", "toString", "__proto__"];
/** A record that has nothing but what it is given. */
const bare = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.assign(Object.create(null), record);
/** Some worlds have limits, on a key in the metadata. */
const policies: Readonly<Record<string, TaskPolicies>> = {
  mail: { concurrency: parseConcurrency([{ key: "metadata.of", max: 1 }, { max: 3 }], "mail") },
  resize: { concurrency: parseConcurrency({ key: "metadata.of", max: 2, strategy: "cancel-in-progress" }, "resize") },
  bill: { slots: 2, rateLimits: parseRateLimits({ key: "metadata.of", limit: 2, per: "15s" }, "bill") },
};

/** What kind of world a seed makes, so that each mechanism appears often enough. */
export interface Climate {
  readonly weather: Weather;
  readonly tasks: readonly string[];
  readonly policies: Readonly<Record<string, TaskPolicies>>;
  readonly hasLimits: boolean;
  readonly hasBundles: boolean;
  readonly hasLarge: boolean;
  /** Minutes and hours pass as well as seconds. */
  readonly hasHours: boolean;
  /** How long runs of a task may wait, where they do not say it themselves. */
  readonly scheduleTimeouts: Readonly<Record<string, number | null>>;
  /** An engine is asked much, and compared with one that is asked nothing. */
  readonly hasTwin: boolean;
  /** Runs are erased at any time. */
  readonly hasErasures: boolean;
  /** Writes fail, are stored without an answer, or land late. */
  readonly isStoreWeak: boolean;
  /** Engines and workers live in the same processes. */
  readonly hasProcesses: boolean;
  /** Some runs kill the process that executes them; nothing else goes wrong. */
  readonly isPoisoned: boolean;
  /** The time of the servers differs by an hour. */
  readonly hasWildClocks: boolean;
  /** Most runs are of one task with a rate, and leaders change often. */
  readonly isRush: boolean;
  /** Most runs are of one task with keys, leaders change often, and workers are often cut off. */
  readonly isContended: boolean;
  /** Workers ask for runs beyond their slots. */
  readonly hasAhead: boolean;
  /** Entries and messages hold few runs. */
  readonly isNarrow: boolean;
  /** Runs that fail have a handler, and unless clocks are wild there is a schedule. */
  readonly hasReactions: boolean;
  /** What workers execute: also what no client asks for. */
  readonly executed: readonly string[];
  readonly options: SchedulerOptions;
}

export function climateOf(seed: number): Climate {
  const hasLimits = [0, 1, 2, 6].includes(seed % 7);
  const hasReactions = [1, 2, 7, 9].includes(seed % 13);
  const tasks = seed % 7 === 3 ? oddTasks : plainTasks;
  const isRush = hasLimits && seed % 3 === 1;
  const hasLarge = [1, 2, 4, 5, 8, 10].includes(seed % 11);
  return {
    weather: seed % 4 === 0 ? "calm" : "rough",
    hasLimits,
    tasks,
    hasReactions,
    executed: hasReactions ? [...tasks, handlerTask] : tasks,
    policies: bare(hasLimits ? policies : {}),
    hasBundles: [1, 2, 4].includes(seed % 5),
    hasLarge,
    hasErasures: [1, 3, 4].includes(seed % 8),
    hasTwin: seed % 6 === 2,
    isStoreWeak: seed % 4 === 1 || seed % 4 === 2 || isRush,
    hasProcesses: seed % 8 === 4 || seed % 4 === 3,
    isPoisoned: seed % 8 === 4,
    hasWildClocks: seed % 16 === 5,
    isRush,
    isContended: hasLimits && seed % 3 === 0,
    hasAhead: !hasLimits && [3, 4, 9, 10, 11, 12, 13, 14, 16].includes(seed % 17),
    isNarrow: seed % 5 === 2 || seed % 5 === 3,
    hasHours: seed % 3 === 0,
    scheduleTimeouts: bare(seed % 3 === 0 ? { mail: null, resize: 2_000, bill: 600_000 } : {}),
    // So that entries which stay for the sake of their inputs are moved, however few runs are kept.
    options: hasLarge ? { ...simulatedOptions, singlePurges: 0 } : simulatedOptions,
  };
}
