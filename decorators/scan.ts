// Reads a decorated class: class or instance → WorkerDefinition. Nothing is registered globally; the data is on the class.

import type { TaskContext } from "../src/domain/context.ts";
import { parseCron } from "../src/domain/cron.ts";
import type { StepDefinition } from "../src/domain/step.ts";
import { checkTask, type TaskDefinition } from "../src/domain/task.ts";
import { hashOfText } from "../src/domain/text-hash.ts";
import { assertRoom, checkWorker, type WorkerDefinition } from "../src/domain/worker.ts";
import {
  type CronFacts,
  cronMetadata,
  failureMetadata,
  getWorker,
  stepMetadata,
  taskMetadata,
  type WorkerFacts,
} from "./metadata.ts";

/** What the decorators say about a class. */
export interface ClassDescription extends WorkerFacts {
  /** By the key of the method. */
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** By the key of the method. */
  readonly steps: ReadonlyMap<string, StepDefinition>;
}

/** A class under `@Worker` whose constructor needs no arguments, or an instance of any class under `@Worker`. */
export type WorkerSource = (new () => object) | object;

/** Whether the value is a class under `@Worker`. */
export function isWorkerClass(value: unknown): value is new () => object {
  return typeof value === "function" && getWorker(value) !== undefined;
}

/** Whether the value is an instance of a class under `@Worker`. */
export function isWorkerInstance(value: unknown): value is object {
  return typeof value === "object" && value !== null && isWorkerClass(value.constructor);
}

/**
 * Reads the tasks of a class, base classes first; the most derived class decides.
 *
 * An override without a decorator keeps the overridden method's name and options, with its own code.
 *
 * Fails: TypeError if the class has no `@Worker` of its own, no task, or two tasks with one name
 */
export function describeClass(cls: Function, metadata?: object): ClassDescription {
  const worker = getWorker(cls);
  if (!worker) throw new TypeError(noWorker(cls));
  const tasks = new Map<string, TaskDefinition>();
  const steps = new Map<string, StepDefinition>();
  for (const { level, key } of membersOf(cls)) {
    const ownMetadata = level === cls ? metadata : undefined;
    const task = taskMetadata.own(level, key, ownMetadata);
    const crons = cronMetadata.own(level, key, ownMetadata) ?? [];
    const step = stepMetadata.own(level, key, ownMetadata);
    if (step) steps.set(key, step);
    if (task) tasks.set(key, withCrons(task, crons, `@Cron on ${level.name}.${key}`));
    else if (crons.length > 0)
      throw new TypeError(`@Cron on ${level.name}.${key}: the method is not a task; write @Task() above it as well`);
  }
  const where = `@Worker on ${cls.name || worker.name}`;
  addFailureHandlers(cls, worker, tasks, metadata, where);
  if (tasks.size === 0) {
    throw new TypeError(
      `${where}: the class has no task; decorate a method, for example @Task("send-email") async send() {}`,
    );
  }
  assertOwnNames(tasks, where);
  assertRoom(tasks.values(), worker.slots, where);
  assertSteps(cls, tasks, steps, where);
  return { ...worker, tasks, steps };
}

function assertOwnNames(tasks: ReadonlyMap<string, TaskDefinition>, where: string): void {
  const keyOf = new Map<string, string>();
  for (const [key, { name }] of tasks) {
    const other = keyOf.get(name);
    keyOf.set(name, key);
    if (other !== undefined)
      throw new TypeError(
        `${where}: two tasks are named "${name}", the methods ${other} and ${key}; rename one of them, for example @Task("${name}-2")`,
      );
  }
}

/** Steps are journalled when called on the instance: `super` would bypass that. */
function assertSteps(
  cls: Function,
  tasks: ReadonlyMap<string, TaskDefinition>,
  steps: ReadonlyMap<string, StepDefinition>,
  where: string,
): void {
  for (const [key, { durable }] of tasks) {
    if (durable === undefined) continue;
    if (steps.has(key)) throw new TypeError(`${where}: ${key} is both a durable method and a step; write two methods`);
    const called = [...textOf(cls, key).matchAll(/\bsuper\s*\.\s*([\w$]+)\s*\(/g)].find(([, name]) => steps.has(name!));
    if (called !== undefined)
      throw new TypeError(
        `${where}: ${key} calls super.${called[1]}(), which is not stored as a step; call this.${called[1]}()`,
      );
  }
}

/** The source of an instance's method; empty if it is not a method. */
function textOf(cls: Function, key: string): string {
  const method: unknown = cls.prototype[key];
  return typeof method === "function" ? Function.prototype.toString.call(method) : "";
}

/** Identifies builds of a class by the source of its methods. */
function codeOf(cls: Function): string {
  const texts = membersOf(cls).map(({ level, key }) => {
    const method = Object.getOwnPropertyDescriptor(level.prototype, key)?.value;
    return typeof method === "function" ? Function.prototype.toString.call(method) : key;
  });
  return hashOfText(texts.join("\n")).toString(36);
}

/** A handler is its own task, named by the tasks that it serves. */
function addFailureHandlers(
  cls: Function,
  worker: WorkerFacts,
  tasks: Map<string, TaskDefinition>,
  metadata: object | undefined,
  where: string,
): void {
  const served = [...tasks];
  for (const { level, key } of membersOf(cls)) {
    const facts = failureMetadata.own(level, key, level === cls ? metadata : undefined);
    if (facts === undefined) continue;
    const { name = handlerName(worker, facts.tasks[0] ?? served[0]?.[1].name, key), ...policy } = facts.options;
    const unknown = facts.tasks.find((task) => !served.some(([, { name }]) => name === task));
    if (unknown !== undefined)
      throw new TypeError(
        `${where}: @OnFailure on ${key} names "${unknown}", which is not a task of the class; the class has: ${served.map(([, task]) => task.name).join(", ")}`,
      );
    if (tasks.has(key))
      throw new TypeError(`${where}: ${key} is both a task and an @OnFailure handler; write two methods`);
    tasks.set(key, { ...checkTask(name, policy, `@OnFailure on ${key}`), handlesFailures: true });
    for (const [of, task] of served) {
      if (facts.tasks.length > 0 && !facts.tasks.includes(task.name)) continue;
      tasks.set(of, { ...tasks.get(of)!, onFailure: name });
    }
  }
}

/** The class's name is not part of it: a minifier would give every build another task, and queued handler runs would find no worker. */
const handlerName = (worker: WorkerFacts, firstTask: string | undefined, method: string): string =>
  `${worker.isNamed || firstTask === undefined ? worker.name : firstTask}-${method}`;

function withCrons(task: TaskDefinition, crons: readonly CronFacts[], where: string): TaskDefinition {
  if (crons.length === 0) return task;
  const rules = crons.map(({ expression, options }) => parseCron(expression, task.name, options, where));
  const names = rules.map(({ name }) => name);
  const doubled = names.find((name, index) => names.indexOf(name) < index);
  if (doubled !== undefined)
    throw new TypeError(
      `${where}: two of them are named "${doubled}"; name them, for example { name: "${doubled}-weekly" }`,
    );
  return { ...task, crons: rules };
}

/**
 * Makes a worker definition from a class or an instance; a class is constructed without arguments.
 *
 * `onStart` and `onStop` are used if the class has methods with these names.
 *
 * Fails: TypeError that says what to pass instead
 */
export function scan(source: WorkerSource): WorkerDefinition {
  assertWorker(source);
  const instance = (typeof source === "function" ? new (source as new () => object)() : source) as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const { tasks, steps, isNamed: _, ...worker } = describeClass(instance.constructor);
  const code = codeOf(instance.constructor);
  return checkWorker({
    ...worker,
    tasks: [...tasks].map(([key, task]) => ({
      ...task,
      handler: (input: unknown, ctx: TaskContext) => instance[key]!(input, ctx),
      ...(task.durable && { code: `${code}.${task.durable.version}` }),
    })),
    ...(steps.size > 0 && { steps: { instance, methods: steps } }),
    ...(typeof instance["onStart"] === "function" && { onStart: () => instance["onStart"]!() }),
    ...(typeof instance["onStop"] === "function" && { onStop: () => instance["onStop"]!() }),
  });
}

/** Checks that {@link scan} can read it, without constructing anything. Fails: TypeError that says what to pass instead */
export function assertWorker(source: WorkerSource): void {
  if (typeof source !== "function") {
    if (typeof source === "object" && source !== null) return void describeClass(source.constructor);
    throw new TypeError(
      `${String(source)} is not a worker; pass a class under @Worker or an instance of it, for example start(EmailWorker)`,
    );
  }
  describeClass(source);
  if (source.length > 0) {
    throw new TypeError(
      `${source.name}: its constructor needs arguments; pass an instance, for example start(new ${source.name}(mailer))`,
    );
  }
}

function lineage(cls: Function): Function[] {
  const classes: Function[] = [];
  for (let next: Function | null = cls; next && next !== Function.prototype; next = Object.getPrototypeOf(next)) {
    if (next.prototype) classes.unshift(next);
  }
  return classes;
}

interface Member {
  /** The class, or the base class, that has it. */
  readonly level: Function;
  readonly key: string;
}

/** Of the class and what it extends, base classes first. */
const membersOf = (cls: Function): Member[] =>
  lineage(cls).flatMap((level) => Object.getOwnPropertyNames(level.prototype).map((key) => ({ level, key })));

function noWorker(cls: Function): string {
  const name = cls.name || "the class";
  const base = lineage(cls)
    .slice(0, -1)
    .reverse()
    .find((level) => getWorker(level));
  const why = base ? `has no @Worker of its own (its base ${base.name} has one)` : "is not a class under @Worker";
  return `${name} ${why}; write @Worker(5) above it`;
}
