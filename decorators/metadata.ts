// The only file that knows where decorators store their data. The keys are registered symbols and the store is shared,
// so that one copy of natchet can read a class decorated by another.
import { defineMetadata, getOwnMetadata } from "reflect-metadata/no-conflict";
import type { CronOptions } from "../src/domain/cron.ts";
import type { ExecuteMiddleware } from "../src/domain/middleware.ts";
import type { StepDefinition } from "../src/domain/step.ts";
import type { TaskDefinition } from "../src/domain/task.ts";
import type { MethodHome } from "./method-home.ts";
import type { OnFailureOptions } from "./on-failure-options.ts";

// The output of `tsc` leaves `context.metadata` undefined unless this symbol exists; Bun, esbuild, swc and Babel fall back to this very key.
(Symbol as { metadata?: symbol }).metadata ??= Symbol.for("Symbol.metadata");

const workerKey = Symbol.for("natchet/worker@1");
const taskKey = Symbol.for("natchet/task@1");
const failureKey = Symbol.for("natchet/on-failure@1");
const stepKey = Symbol.for("natchet/step@1");
const cronsKey = Symbol.for("natchet/crons@1");

/** The arguments of one `@Cron`; checked when the name of its task is known. */
export interface CronFacts {
  readonly expression: string;
  readonly options: CronOptions;
}

/** The arguments of `@OnFailure`; no tasks = all of its class. */
export interface FailureFacts {
  readonly tasks: readonly string[];
  readonly options: OnFailureOptions;
}

/** The arguments of `@Worker`. */
export interface WorkerFacts {
  /** For display. */
  readonly name: string;
  /** The name was given, so it does not depend on what a build does to the class's name. */
  readonly isNamed: boolean;
  /** Attempts that may run at the same time. */
  readonly slots: number;
  /** What the worker is. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** Around all its tasks. */
  readonly middleware?: readonly ExecuteMiddleware[];
}

export function setWorker(cls: object, facts: WorkerFacts): void {
  defineMetadata(workerKey, facts, cls);
}

/** The class's own `@Worker`; a base class's is not inherited. */
export function getWorker(cls: object): WorkerFacts | undefined {
  return getOwnMetadata(workerKey, cls) as WorkerFacts | undefined;
}

export function setTask({ method, owner, key }: MethodHome, task: TaskDefinition): void {
  defineMetadata(taskKey, task, method);
  if (owner) defineMetadata(taskKey, task, owner, key);
}

export function getTask({ method, owner, key }: MethodHome): TaskDefinition | undefined {
  const known = getOwnMetadata(taskKey, method) ?? (owner && getOwnMetadata(taskKey, owner, key));
  return known as TaskDefinition | undefined;
}

export function setStep({ method, owner, key }: MethodHome, step: StepDefinition): void {
  defineMetadata(stepKey, step, method);
  if (owner) defineMetadata(stepKey, step, owner, key);
}

export function getStep({ method, owner, key }: MethodHome): StepDefinition | undefined {
  const known = getOwnMetadata(stepKey, method) ?? (owner && getOwnMetadata(stepKey, owner, key));
  return known as StepDefinition | undefined;
}

/** The step that a class's own method is; see {@link getOwnTask}. */
export function getOwnStep(
  cls: Function,
  key: string,
  metadata: object | undefined = metadataOf(cls),
): StepDefinition | undefined {
  const method = Object.getOwnPropertyDescriptor(cls.prototype, key)?.value;
  if (typeof method !== "function") return undefined;
  return getStep({ method, owner: cls.prototype, key }) ?? (metadata && getStep({ method, owner: metadata, key }));
}

export function setFailureHandler({ method, owner, key }: MethodHome, facts: FailureFacts): void {
  defineMetadata(failureKey, facts, method);
  if (owner) defineMetadata(failureKey, facts, owner, key);
}

/** What a class's own method handles; see {@link getOwnTask}. */
export function getOwnFailureHandler(
  cls: Function,
  key: string,
  metadata: object | undefined = metadataOf(cls),
): FailureFacts | undefined {
  const method = Object.getOwnPropertyDescriptor(cls.prototype, key)?.value;
  if (typeof method !== "function") return undefined;
  const known =
    getOwnMetadata(failureKey, method) ??
    getOwnMetadata(failureKey, cls.prototype, key) ??
    (metadata && getOwnMetadata(failureKey, metadata, key));
  return known as FailureFacts | undefined;
}

export function addCron({ method, owner, key }: MethodHome, cron: CronFacts): void {
  const crons = [cron, ...getCrons({ method, owner, key })]; // decorators are applied from the last to the first
  defineMetadata(cronsKey, crons, method);
  if (owner) defineMetadata(cronsKey, crons, owner, key);
}

function getCrons({ method, owner, key }: MethodHome): readonly CronFacts[] {
  const known = getOwnMetadata(cronsKey, method) ?? (owner && getOwnMetadata(cronsKey, owner, key));
  return (known as readonly CronFacts[] | undefined) ?? [];
}

/** The schedules of a class's own method; see {@link getOwnTask}. */
export function getOwnCrons(
  cls: Function,
  key: string,
  metadata: object | undefined = metadataOf(cls),
): readonly CronFacts[] {
  const method = Object.getOwnPropertyDescriptor(cls.prototype, key)?.value;
  if (typeof method !== "function") return [];
  const ofPrototype = getCrons({ method, owner: cls.prototype, key });
  return ofPrototype.length > 0 || metadata === undefined ? ofPrototype : getCrons({ method, owner: metadata, key });
}

/**
 * The task of a class's own method, whichever mode compiled it.
 *
 * `metadata` is the class's standard metadata object: while class decorators run, it is not yet on the class.
 */
export function getOwnTask(
  cls: Function,
  key: string,
  metadata: object | undefined = metadataOf(cls),
): TaskDefinition | undefined {
  const method = Object.getOwnPropertyDescriptor(cls.prototype, key)?.value; // a getter is never touched
  if (typeof method !== "function") return undefined;
  return getTask({ method, owner: cls.prototype, key }) ?? (metadata && getTask({ method, owner: metadata, key }));
}

function metadataOf(cls: Function): object | undefined {
  const symbol = (Symbol as { metadata?: symbol }).metadata!;
  return Object.hasOwn(cls, symbol) ? (cls as unknown as Record<symbol, object>)[symbol] : undefined;
}
