// Types of the tasks of a worker class, derived from its method signatures: decorators cannot change a class's type.
import type { Sent } from "../domain/schema.ts";
import type { Wire } from "../domain/wire.ts";
import type { TaskContext } from "../domain/worker.ts";
import type { TaskReference } from "./task-reference.ts";

type AnyMethod = (this: any, ...args: any[]) => unknown;
type ResultOf<R> = R extends { readonly "~effect/Effect": { readonly _A: (_: never) => infer A } } ? A : Awaited<R>;

type InputArgs<M extends AnyMethod> =
  Parameters<M> extends []
    ? [input?: undefined]
    : Parameters<M> extends [infer P, ...unknown[]]
      ? [input: Sent<P>]
      : Parameters<M> extends [(infer P)?, ...unknown[]]
        ? [input?: Sent<P>]
        : [input: unknown];

type IsTask<M> = M extends AnyMethod
  ? Parameters<M> extends [unknown?, unknown?]
    ? M extends (this: any, input: any, ctx: TaskContext) => unknown
      ? true
      : false
    : false
  : false;

/** The reference to the task that a method is. */
export type TaskOf<M> = M extends AnyMethod ? TaskReference<InputArgs<M>, Wire<ResultOf<ReturnType<M>>>> : never;

/**
 * One reference for each method. No key is filtered out: that would resolve every return type, and a task that calls a sibling
 * could not infer its own.
 */
export type ClassTasks<W> = {
  readonly [K in keyof W]: IsTask<W[K]> extends true ? TaskOf<W[K]> : "not shaped like a task";
};
