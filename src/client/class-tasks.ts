// The tasks of a worker class, as callers see them. Their types come from the signatures of its methods: decorators cannot change the type of a class.

import type { BatchContext, TaskContext } from "../domain/context.ts";
import type { DurableContext } from "../domain/durable-context.ts";
import { assertName } from "../domain/names.ts";
import type { Sent } from "../domain/schema.ts";
import type { Wire } from "../domain/wire.ts";
import type { ArgsOf, TaskReference, TaskShape } from "./task-reference.ts";

type AnyMethod = (this: any, ...args: any[]) => unknown;
type ResultOf<R> = R extends { readonly "~effect/Effect": { readonly _A: (_: never) => infer A } } ? A : Awaited<R>;

type InputOfMethod<M extends AnyMethod> =
  Parameters<M> extends []
    ? undefined
    : Parameters<M> extends [infer P, ...unknown[]]
      ? Sent<P>
      : Parameters<M> extends [(infer P)?, ...unknown[]]
        ? Sent<P> | undefined
        : unknown;

type DurableMethod = (this: any, input: any, ctx: DurableContext) => Promise<unknown>;

type IsTask<M> = M extends AnyMethod
  ? Parameters<M> extends [unknown?, unknown?]
    ? M extends ((this: any, input: any, ctx: TaskContext) => unknown) | DurableMethod
      ? true
      : IsBatch<M>
    : false
  : false;

/** A method of a batch task is recognized by its context: callers pass one of its inputs and get one of its outputs. */
type IsBatch<M extends AnyMethod> =
  Parameters<M> extends [readonly unknown[], infer C]
    ? 0 extends 1 & C
      ? false
      : [C] extends [BatchContext]
        ? true
        : false
    : false;
type MemberOf<List> = List extends readonly (infer Member)[] ? Member : unknown;

/** The reference to the task that a method is. */
export type TaskOf<M> = M extends AnyMethod
  ? IsBatch<M> extends true
    ? TaskReference<ArgsOf<Sent<MemberOf<Parameters<M>[0]>>>, Wire<Exclude<MemberOf<ResultOf<ReturnType<M>>>, Error>>>
    : TaskReference<ArgsOf<InputOfMethod<M>>, Wire<ResultOf<ReturnType<M>>>>
  : never;

/**
 * One reference for each method. No key is filtered out: that would resolve every return type, and a task that calls a sibling
 * could not infer its own.
 */
export type ClassTasks<W> = {
  readonly [K in keyof W]: IsTask<W[K]> extends true ? TaskOf<W[K]> : "not shaped like a task";
};

type Make = (shape: TaskShape) => object;

/** The tasks that the decorators named; any other key throws an error that lists them. */
export function tasksOf(cls: Function, shapes: ReadonlyMap<string, TaskShape>, make: Make): object {
  return lazily(new Set(shapes.keys()), (key) => {
    const shape = shapes.get(key);
    if (shape !== undefined) return make(shape);
    throw new TypeError(
      `${cls.name || "the class"}.${key} is not a task; use one of ${[...shapes.keys()].join(", ")}, or write @Task() above the method`,
    );
  });
}

/** Where only the type of a class is known, a task has its method's name. */
export const tasksByName = (make: Make): object =>
  lazily(new Set(), (key) => make({ name: assertName("task", key, "tasks()") }));

/** Keys read from any object: by `await`, by JSON, by a console. */
const notTasks = new Set(["then", "toJSON", "constructor", "inspect"]);

function lazily(keys: ReadonlySet<string>, make: (key: string) => object): object {
  const made = new Map<string, object>();
  const get = (_: object, key: string | symbol) => {
    if (typeof key === "symbol" || (notTasks.has(key) && !keys.has(key))) return undefined;
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
  return new Proxy({}, { get });
}
