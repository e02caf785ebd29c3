// Middleware: user code around each attempt of a worker, and what it can see and change.
import type { TaskContext } from "./context.ts";
import { assertType } from "./option-values.ts";

/** An attempt on its way to the code of its task. */
export interface Execution {
  /** Name of the task. */
  readonly task: string;
  /** The input as it was sent, or as an outer middleware passed it on; the task's schema checks it later. */
  readonly input: unknown;
  /** The context that the task gets; `ctx.input` is `input`. */
  readonly ctx: TaskContext;
}

/**
 * Code around the code of tasks, on the worker.
 *
 * `next()` goes on to the next middleware and at last to the task; it resolves with the output or rejects with the error. What is returned is
 * the output; nothing returned leaves it as it is. What is thrown is the error of the attempt. Without `next()` the task is not called.
 *
 * @example
 * ```ts
 * const timed: ExecuteMiddleware = async ({ ctx }, next) => {
 *   const begun = Date.now();
 *   try { return await next(); } finally { ctx.log.info("done", { ms: Date.now() - begun }); }
 * };
 * ```
 */
export type ExecuteMiddleware = (
  execution: Execution,
  next: (change?: { readonly input: unknown }) => Promise<unknown>,
) => unknown;

/** A list of functions, or a TypeError that says where it is not. */
export function assertMiddleware<M extends Function>(given: readonly M[] | undefined, where: string): readonly M[] {
  const example = "middleware: [async (call, next) => next()]";
  if (given === undefined) return [];
  assertType(Array.isArray(given), `${where}: middleware`, "a list of functions", given, example);
  given.forEach((each, i) => {
    assertType(typeof each === "function", `${where}: middleware[${i}]`, "a function", each, example);
  });
  return [...given];
}
