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

/** What one decorator says about methods. */
class MethodMetadata<T> {
  readonly #name: symbol;

  constructor(name: string) {
    this.#name = Symbol.for(name);
  }

  /** On the method, and beside it for builds that replace methods. */
  set({ method, owner, key }: MethodHome, facts: T): void {
    defineMetadata(this.#name, facts, method);
    if (owner) defineMetadata(this.#name, facts, owner, key);
  }

  get({ method, owner, key }: MethodHome): T | undefined {
    return getOwnMetadata(this.#name, method) ?? (owner && getOwnMetadata(this.#name, owner, key));
  }

  /**
   * Of a class's own method, whichever mode compiled it.
   *
   * `metadata` is the class's standard metadata object: while class decorators run, it is not yet on the class.
   */
  own(cls: Function, key: string, metadata: object | undefined = metadataOf(cls)): T | undefined {
    const method = Object.getOwnPropertyDescriptor(cls.prototype, key)?.value; // a getter is never touched
    if (typeof method !== "function") return undefined;
    return this.get({ method, owner: cls.prototype, key }) ?? (metadata && this.get({ method, owner: metadata, key }));
  }
}

export const taskMetadata = new MethodMetadata<TaskDefinition>("natchet/task@1");
export const stepMetadata = new MethodMetadata<StepDefinition>("natchet/step@1");
export const failureMetadata = new MethodMetadata<FailureFacts>("natchet/on-failure@1");
/** In the order in which they are written. */
export const cronMetadata = new MethodMetadata<readonly CronFacts[]>("natchet/crons@1");

function metadataOf(cls: Function): object | undefined {
  const symbol = (Symbol as { metadata?: symbol }).metadata!;
  return Object.hasOwn(cls, symbol) ? (cls as unknown as Record<symbol, object>)[symbol] : undefined;
}
