// `@OnFailure`: a method that handles runs of its class which have failed for good.
import { checkTask } from "../src/domain/task.ts";
import type { AnyMethod } from "./check.ts";
import { failureMetadata } from "./metadata.ts";
import type { OnFailureOptions } from "./on-failure-options.ts";
import { atCaller, decoratedPlaceOf } from "./place.ts";

/** Decorates a method in both modes. */
export interface OnFailureDecorator {
  <M extends AnyMethod>(method: M, context: ClassMethodDecoratorContext<any, M>): void;
  (target: object, key: string, descriptor: PropertyDescriptor): void;
}
/**
 * Makes a method handle runs that failed for good: of the named tasks of its class, or of all.
 *
 * It gets the input of the failed run; `ctx.failedRun` says which run it was, `ctx.errors` what its attempts threw. Each failed run is handled by exactly one run.
 *
 * Fails: TypeError or RangeError at class definition, with the value, the rule and an example
 * @example
 * ```ts
 * @OnFailure("send-email") async tell(email: Email, ctx: TaskContext) { … }
 * ```
 */
export function OnFailure(tasks: string | readonly string[] = [], options: OnFailureOptions = {}): OnFailureDecorator {
  const names = typeof tasks === "string" ? [tasks] : tasks;
  const { name, ...policy } = options;
  atCaller(OnFailure, () => {
    if (!Array.isArray(names) || names.some((one) => typeof one !== "string"))
      throw new TypeError(
        `@OnFailure takes names of tasks, not ${JSON.stringify(tasks)}; for example @OnFailure("send-email")`,
      );
    checkTask(name ?? "handler", policy, "@OnFailure");
  });
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => failureMetadata.set(decoratedPlaceOf("@OnFailure", args), { tasks: names, options }));
  };
  return decorate as OnFailureDecorator;
}
