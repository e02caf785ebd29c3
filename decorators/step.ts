// `@Step`: a method whose result a durable run stores, and never computes again.
import { defineStep, type StepOptions } from "../src/domain/step.ts";
import type { StepDecorator } from "./durable-check.ts";
import { stepMetadata, taskMetadata } from "./metadata.ts";
import { atCaller, decoratedPlaceOf, isDecoratorCall } from "./place.ts";

/**
 * Makes an async method a step: when a durable method calls it on `this`, its result is stored and never computed again. Anywhere else,
 * and inside another step, it is a plain method.
 *
 * It is executed again if its worker dies before the result is stored; use `currentStep().id`, which stays the same, as an idempotency key. It returns
 * what survives JSON unchanged, and changes nothing that the durable method reads.
 *
 * Fails: TypeError or RangeError at class definition, with the value, the rule and an example
 * @example
 * ```ts
 * @Step({ retries: 5, timeout: "30s", errors: [CardDeclined] })
 * async charge(order: Order): Promise<Receipt> {}
 * ```
 */
export function Step(options: StepOptions = {}, ...nothing: never[]): StepDecorator {
  const step = atCaller(Step, () => {
    if (isDecoratorCall([options, ...nothing])) throw new TypeError("@Step: write @Step() with parentheses");
    if (typeof options === "string")
      throw new TypeError("@Step takes no name, a step is named after its method; for example @Step({ retries: 5 })");
    return defineStep(options, "@Step");
  });
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => {
      const place = decoratedPlaceOf("@Step", args);
      if (stepMetadata.get(place)) throw new TypeError(`${place.where}: the method has two @Step decorators; keep one`);
      if (taskMetadata.get(place)?.durable)
        throw new TypeError(`${place.where}: a durable method cannot be a step as well; keep one`);
      stepMetadata.set(place, step);
    });
  };
  return decorate as StepDecorator;
}
