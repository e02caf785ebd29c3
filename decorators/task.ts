// `@Task`: a method that executes runs, one by one or many at once.
import type { BatchOptions } from "../src/domain/batch.ts";
import type { BatchContext, TaskContext } from "../src/domain/context.ts";
import type { FieldIn } from "../src/domain/plain-fields.ts";
import type { AnySchema, InputOf, Payload } from "../src/domain/schema.ts";
import { checkTask, type TaskOptions } from "../src/domain/task.ts";
import type { AfterFirst, NameIn, TaskDecorator } from "./check.ts";
import { taskMetadata } from "./metadata.ts";
import { atCaller, decoratedPlaceOf } from "./place.ts";
import { assertFirst, readTaskArguments } from "./task-arguments.ts";

/** The options of `@Task` with the types of its schemas. */
export interface TypedTaskOptions<
  I extends AnySchema | undefined,
  O extends AnySchema | undefined,
  B extends BatchOptions | undefined = undefined,
  P extends string = string,
> extends Omit<TaskOptions, "input" | "output" | "batch" | "plain"> {
  /** Checks the input before the method sees it. */
  readonly input?: I;
  /** Checks what the method returns. */
  readonly output?: O;
  /** Gives the method many inputs at once, `(inputs, ctx)`; it returns an output, or an Error, for each. */
  readonly batch?: B;
  /** Fields of the input that stay readable where inputs are encrypted: those that the keys of limits and batches read. */
  readonly plain?: readonly P[];
}

// `undefined` is asked for first: without `strictNullChecks` it extends everything.
/** What the method must accept: anything without a schema, else what the schema yields. */
export type Received<S extends AnySchema | undefined> = S extends undefined
  ? any
  : S extends AnySchema
    ? Payload<S>
    : never;
/** What the method must return: anything without a schema, else what the schema takes. */
export type Returned<S extends AnySchema | undefined> = S extends undefined
  ? unknown
  : S extends AnySchema
    ? InputOf<S>
    : never;

/** Those that no schema has checked. */
export type FieldsToCheck<I extends AnySchema | undefined, P extends string> = I extends undefined ? P : never;

/** A batch task's method: `(inputs, ctx) => outputs`, with an Error in place of the output of a run that failed. */
export type BatchDecorator<In, Out, Plain extends string = never> = TaskDecorator<
  In[],
  readonly (Out | Error)[],
  BatchContext,
  Plain
>;

/** What may follow the first argument: after a name, options; after a contract, options without schemas; after options, nothing. */
export type MoreOptions<
  N,
  C extends string,
  I extends AnySchema | undefined,
  O extends AnySchema | undefined,
  B extends BatchOptions | undefined,
  P extends string = string,
> = AfterFirst<N, C, TypedTaskOptions<I, O, B, P>, TypedTaskOptions<undefined, undefined, B, P>>;

/**
 * Makes a method a task that clients can run.
 *
 * `@Task()` names it after the method, `@Task("send-email")` names it explicitly, and `@Task(contract)` takes the contract's name, which also says what it
 * gets and returns. Policies are options: data that several tasks can share (`satisfies TaskOptions`).
 *
 * Without a schema the method receives plain JSON: a Date arrives as a string.
 *
 * Fails: TypeError or RangeError at class definition, with the value, the rule and an example
 * @example
 * ```ts
 * @Task("send-email", { input: Email, retries: 3, timeout: "30s" })
 * async send(email: Payload<typeof Email>, ctx: TaskContext) {}
 *
 * @Task("embed", { input: Text, batch: { size: 50, interval: "200ms" } })
 * async embed(texts: string[], ctx: BatchContext) {}
 *
 * @Task(resize, { retries: 3 })
 * async resize(image: Payload<typeof resize.input>) {}
 * ```
 */
export function Task<
  const N = undefined,
  const C extends string = never,
  I extends AnySchema | undefined = undefined,
  O extends AnySchema | undefined = undefined,
  B extends BatchOptions | undefined = undefined,
  const P extends FieldIn<I> = never,
>(
  first?: NameIn<N> | TypedTaskOptions<I, O, B, P> | { readonly name: C; readonly input: I; readonly output: O },
  options?: MoreOptions<N, C, I, O, B, P>,
  ...nothing: never[]
): B extends undefined
  ? TaskDecorator<Received<I>, Returned<O>, TaskContext, FieldsToCheck<I, P>>
  : BatchDecorator<Received<I>, Returned<O>, FieldsToCheck<I, P>> {
  const { name, options: read } = atCaller(Task, () => readTaskArguments("@Task", [first, options, ...nothing]));
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => {
      const place = decoratedPlaceOf("@Task", args);
      assertFirst("@Task", place);
      taskMetadata.set(place, checkTask(name ?? place.key, read, place.where));
    });
  };
  return decorate as never;
}
