// A worker as its code declares it: a name, slots, labels, and tasks with their handlers.
import { isLabelValue } from "./affinity.ts";
import type { TaskContext } from "./context.ts";
import { assertMiddleware, type ExecuteMiddleware } from "./middleware.ts";
import { assertName } from "./names.ts";
import { assertType, assertWhole } from "./option-values.ts";
import { assertPlainFields } from "./plain-fields.ts";
import type { StepDefinition } from "./step.ts";
import type { TaskDefinition } from "./task.ts";

/** The code of a task. Returns the output, or a promise or an Effect of it. That of a durable task gets a DurableContext and returns a promise. */
export type Handler = (input: any, ctx: TaskContext) => unknown;

/** A task with the code that executes it. */
export interface WorkerTask extends TaskDefinition {
  /** Gets the checked input; returns the output, a promise or an Effect of it. */
  readonly handler: Handler;
  /** Of a durable task: tells builds of its code apart. */
  readonly code?: string;
}

/** Methods that are steps where a durable method calls them. */
export interface WorkerSteps {
  /** The instance that they are methods of: it gets journalled ones in their place. */
  readonly instance: object;
  /** The steps by the key of the method. */
  readonly methods: ReadonlyMap<string, StepDefinition>;
}

/** Everything that is needed to run a worker; decorators make one, or it is written by hand. */
export interface WorkerDefinition {
  /** For display. */
  readonly name: string;
  /** Attempts that may run at the same time. */
  readonly slots: number;
  /** For tasks with `affinity`. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** Its tasks, with their handlers. */
  readonly tasks: readonly WorkerTask[];
  /** Steps of its durable tasks. */
  readonly steps?: WorkerSteps;
  /** Around the tasks of this worker, the first outermost. */
  readonly middleware?: readonly ExecuteMiddleware[] | undefined;
  /** Called before the first run; if it throws, the worker does not start. */
  readonly onStart?: () => unknown;
  /** Called after the last run, and also when the start fails. */
  readonly onStop?: () => unknown;
}

export const defaultSlots = 100;
/** The most labels: they are part of each registration. */
const mostLabels = 100;
const longestLabel = 256;

export const assertSlots = (value: unknown, where: string): number =>
  assertWhole(value, `${where}: slots`, { from: 1, to: 10_000, example: "@Worker(5)" });

export function assertLabels(labels: unknown, where: string): Readonly<Record<string, string | number>> {
  const example = '{ region: "eu" }';
  const isObject = typeof labels === "object" && labels !== null && !Array.isArray(labels);
  assertType(isObject, `${where}: labels`, "an object", labels, example);
  const entries = Object.entries(labels as Readonly<Record<string, string | number>>);
  if (entries.length > mostLabels)
    throw new RangeError(`${where}: ${entries.length} labels are too many; ${mostLabels} is the maximum`);
  for (const [key, value] of entries) {
    if (key.length > longestLabel || (typeof value === "string" && value.length > longestLabel))
      throw new RangeError(`${where}: label "${key.slice(0, 40)}" has more than ${longestLabel} characters`);
    assertType(isLabelValue(value), `${where}: label "${key}"`, "a string or a number", value, example);
  }
  return Object.fromEntries(entries);
}

/** Checks a definition, including one written by hand; throws a TypeError or RangeError. */
export function checkWorker(worker: WorkerDefinition): WorkerDefinition {
  const where = `worker "${worker.name}"`;
  assertName("worker", worker.name, "worker");
  assertSlots(worker.slots, where);
  assertLabels(worker.labels, where);
  assertMiddleware(worker.middleware, where);
  if (worker.tasks.length === 0)
    throw new TypeError(`${where} has no task; decorate a method with @Task("send-email")`);
  const names = new Set<string>();
  for (const task of worker.tasks) {
    if (names.has(task.name)) throw new TypeError(`${where} has two tasks named "${task.name}"; rename one of them`);
    names.add(task.name);
    assertPlainFields(task.plain, `${where}: task "${task.name}"`);
  }
  assertRoom(worker.tasks, worker.slots, where);
  return worker;
}

/** Fails: RangeError for a task whose runs would wait for ever */
export function assertRoom(
  tasks: Iterable<Pick<TaskDefinition, "name" | "policies">>,
  has: number,
  where: string,
): void {
  for (const { name, policies: { slots = 1 } = {} } of tasks)
    if (slots > has)
      throw new RangeError(
        `${where}: a run of task "${name}" needs ${slots} slots, but the worker has ${has}; for example @Worker(${slots})`,
      );
}
