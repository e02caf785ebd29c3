// The steps of a worker class: methods that are journalled when a durable method calls them on its instance. Anywhere else they are plain methods.
import type { StepDefinition, StepScope } from "../../domain/step.ts";
import { Frame } from "./frame.ts";
import { hashOf } from "./op.ts";
import { surroundingOp, windows } from "./windows.ts";

/**
 * Finds the attempt of the step around this call.
 *
 * Fails: Error outside a step
 * @example
 * ```ts
 * await stripe.charges.create(charge, { idempotencyKey: currentStep().id })
 * ```
 */
export function currentStep(): StepScope {
  const step = surroundingOp()?.step;
  if (step === undefined)
    throw new Error("currentStep() was called outside a step; call it from code that a step runs");
  return step as StepScope;
}

/** Opens a step in the frame that is executing. */
export function openStep(
  frame: Frame,
  name: string,
  hash: number,
  start: (scope: StepScope) => unknown,
  { retry, timeoutMs, errors }: StepDefinition,
): Promise<any> {
  return frame.open("step", name, hash, { start, terms: { retry, timeoutMs }, classes: errors });
}

const installed = Symbol.for("natchet.step@1");

/**
 * Gives an instance its journalled steps as own properties: `#private` fields, `super` and overrides without a decorator are not affected.
 *
 * Fails: TypeError for a frozen instance
 */
export function installSteps(instance: object, steps: ReadonlyMap<string, StepDefinition>): void {
  const methods = instance as Record<string, ((...args: unknown[]) => unknown) & { [installed]?: true }>;
  for (const [key, step] of steps) {
    const plain = methods[key]!;
    if (plain[installed] === true) continue; // another worker has the same instance
    if (!Object.isExtensible(instance))
      throw new TypeError(`${instance.constructor.name} is frozen, and a worker class with steps must not be`);
    const value = function (this: unknown, ...args: unknown[]): unknown {
      const frame = frameOfCall();
      if (frame === undefined) return plain.apply(this, args);
      return openStep(frame, key, hashOf(args), () => plain.apply(this, args), step);
    };
    Object.defineProperty(value, installed, { value: true });
    Object.defineProperty(instance, key, { value, writable: true, configurable: true, enumerable: false });
  }
}

/**
 * The frame to which a call of a step belongs; undefined outside a durable run, and inside a step, because steps do not nest. Code that has lost
 * its async context is found by its window, so that its call does not become a plain one.
 */
function frameOfCall(): Frame | undefined {
  const around = surroundingOp();
  if (around?.step !== undefined) return undefined;
  const frame = around?.frame ?? windows.current;
  return frame instanceof Frame ? frame : undefined;
}
