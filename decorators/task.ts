import type { BatchOptions } from "../src/domain/batch.ts";
import type { Contract } from "../src/domain/contract.ts";
import type { AnySchema, InputOf, Payload } from "../src/domain/schema.ts";
import { defineTask, type TaskOptions } from "../src/domain/task.ts";
import type { BatchContext } from "../src/domain/worker.ts";
import type { Name, TaskDecorator } from "./check.ts";
import { getTask, setTask } from "./metadata.ts";
import { atCaller, isDecoratorCall, placeOf } from "./place.ts";

/** The options of `@Task` with the types of its schemas. */
export interface TypedTaskOptions<I extends AnySchema | undefined, O extends AnySchema | undefined>
  extends Omit<TaskOptions, "input" | "output" | "batch"> {
  /** Checks the input before the method sees it. */
  readonly input?: I;
  /** Checks what the method returns. */
  readonly output?: O;
}

/** What the method must accept: anything without a schema, else what the schema yields. */
export type Received<S extends AnySchema | undefined> = S extends AnySchema ? Payload<S> : any;
/** What the method must return: anything without a schema, else what the schema takes. */
export type Returned<S extends AnySchema | undefined> = S extends AnySchema ? InputOf<S> : unknown;

/** The options of a batch task: its method gets many inputs and returns as many outputs. */
export interface BatchTaskOptions<I extends AnySchema | undefined, O extends AnySchema | undefined>
  extends TypedTaskOptions<I, O> {
  readonly batch: BatchOptions;
}
/** A batch task's method: `(inputs, ctx) => outputs`, with an Error in place of the output of a run that failed. */
export type BatchDecorator<In, Out> = TaskDecorator<In[], readonly (Out | Error)[], BatchContext>;

/**
 * Makes a method the handler of many runs of a contract at once.
 *
 * @example @Task(embed, { batch: { size: 50, interval: "200ms" } })
 */
export function Task<I extends AnySchema, O extends AnySchema>(
  contract: Contract<I, O>,
  options: Omit<TaskOptions, "input" | "output"> & { readonly batch: BatchOptions },
): BatchDecorator<Payload<I>, InputOf<O>>;
/**
 * Makes a method the handler of many runs at once.
 *
 * @example @Task("embed", { input: Text, batch: { size: 50, interval: "200ms" } })
 */
export function Task<
  const N extends string,
  I extends AnySchema | undefined = undefined,
  O extends AnySchema | undefined = undefined,
>(name: Name<N>, options: BatchTaskOptions<I, O>): BatchDecorator<Received<I>, Returned<O>>;
/**
 * Makes a method the implementation of a contract: name, input and output are the contract's.
 *
 * @example @Task(resize, { retries: 3 })
 */
export function Task<I extends AnySchema, O extends AnySchema>(
  contract: Contract<I, O>,
  options?: Omit<TaskOptions, "input" | "output" | "batch">,
): TaskDecorator<Payload<I>, InputOf<O>>;
/**
 * Makes a method a task named after it.
 *
 * @example @Task({ input: Email, retries: 3 })
 */
export function Task<I extends AnySchema | undefined = undefined, O extends AnySchema | undefined = undefined>(
  options: TypedTaskOptions<I, O>,
): TaskDecorator<Received<I>, Returned<O>>;
/**
 * Makes a method a task that clients can run.
 *
 * The name is the method's unless given. Policies are options: data that several tasks can share.
 *
 * Fails: TypeError or RangeError at class definition, with the value, the rule and an example
 * @example @Task("send-email", { input: Email, retries: 3, timeout: "30s" })
 */
export function Task<
  const N extends string,
  I extends AnySchema | undefined = undefined,
  O extends AnySchema | undefined = undefined,
>(name?: Name<N>, options?: TypedTaskOptions<I, O>): TaskDecorator<Received<I>, Returned<O>>;
export function Task(...given: unknown[]): TaskDecorator {
  const { name, options } = atCaller(Task, () => readArguments(given));
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => {
      const place = placeOf("@Task", args);
      if (getTask(place)) throw new TypeError(`${place.where}: the method has two @Task decorators; keep one`);
      setTask(place, defineTask(name ?? place.key, options, place.where));
    });
  };
  return decorate;
}

interface TaskArguments {
  readonly name: unknown;
  readonly options: TaskOptions;
}

const example = 'for example @Task("send-email", { retries: 3 })';

function readArguments(given: readonly unknown[]): TaskArguments {
  if (isDecoratorCall(given)) throw new TypeError("@Task: write @Task() with parentheses");
  if (given.length > 2)
    throw new TypeError(`@Task takes a name and options, not ${given.length} arguments; ${example}`);
  const [first, second] = given;
  if (second !== undefined) assertOptions(second, "the second argument");
  const options = (second ?? {}) as TaskOptions;
  if (first === undefined || typeof first === "string") return { name: first, options };
  if (isContract(first)) return { name: first.name, options: withContract(first, options) };
  assertOptions(first, "the first argument");
  if (second !== undefined) throw new TypeError(`@Task: options are given twice; pass them once, ${example}`);
  return { name: undefined, options: first };
}

function withContract(contract: Contract, options: TaskOptions): TaskOptions {
  for (const key of ["input", "output"] as const) {
    if (key in options) {
      throw new TypeError(
        `@Task: ${key} is given twice, by the contract "${contract.name}" and by the options; drop one`,
      );
    }
  }
  return { ...options, input: contract.input, output: contract.output };
}

const isContract = (value: unknown): value is Contract =>
  typeof value === "object" && value !== null && "name" in value && "input" in value && "output" in value;

function assertOptions(value: unknown, what: string): asserts value is TaskOptions {
  const isHolder = (typeof value === "object" && value !== null) || typeof value === "function";
  if (isHolder && ("~standard" in value || "ast" in value)) {
    throw new TypeError("@Task: a schema goes into the options; write @Task({ input: schema })");
  }
  if (!isHolder || typeof value === "function" || Array.isArray(value)) {
    throw new TypeError(`@Task: ${what} is ${String(value)}, which is not a name, options or a contract; ${example}`);
  }
  if ("name" in value) {
    throw new TypeError(`@Task: "name" is not an option; the name comes first, ${example}`);
  }
}
