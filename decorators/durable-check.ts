// Compile-time checks of durable methods and steps: a mistake turns the method's type into a sentence, which the compiler then shows.
import type { DurableContext } from "../src/domain/durable-context.ts";
import type { IsJson } from "../src/domain/wire.ts";
import type {
  AnyMethod,
  ArrivesOtherwise,
  ContextFirst,
  HasFields,
  IsAny,
  NotStatic,
  Public,
  TooMany,
} from "./check.ts";

/** `unknown` for a durable method that accepts `In` and returns `Out`; a sentence for any other. */
export type HandlesDurably<M extends AnyMethod, In, Out, Plain extends string = never> =
  TooMany<M> extends true
    ? "a durable method takes (input, ctx) and nothing more"
    : ContextFirst<M, DurableContext> extends true
      ? "a durable method takes (input, ctx): the context comes second"
      : ReturnType<M> extends Promise<infer A>
        ? M extends (this: any, input: any, ctx: DurableContext) => unknown
          ? ArrivesAsJson<Parameters<M>[0], In> extends false
            ? ArrivesOtherwise
            : M extends (this: any, input: In, ctx: DurableContext) => unknown
              ? [A] extends [Out]
                ? HasFields<Parameters<M>[0], Plain>
                : "the method does not return what the output schema or the contract promises"
              : "the input parameter does not accept what the schema or the contract yields"
          : "the second parameter must accept a DurableContext"
        : "a durable method is async: it returns a promise";

type ArrivesAsJson<P, In> = IsAny<In> extends true ? IsJson<P> : true;

/** `unknown` for a method that can be a step; a sentence for any other. */
export type StepShape<M extends AnyMethod> =
  IsAny<ReturnType<M>> extends true
    ? unknown
    : ReturnType<M> extends Promise<infer A>
      ? IsJson<A> extends true
        ? unknown
        : "a step returns only what JSON brings back unchanged: no Date, Map, Set, bigint, function or object with methods"
      : "a step is async: it returns a promise";

/** Makes a method a durable task, with TC39 decorators (first signature) and with `experimentalDecorators` (second). */
export interface DurableDecorator<In = any, Out = unknown, Plain extends string = never> {
  <This, M extends AnyMethod>(
    method: M & HandlesDurably<M, In, Out, Plain>,
    context: ClassMethodDecoratorContext<This, M> & Public<This>,
  ): void;
  <T extends object, K extends keyof T, M extends AnyMethod>(
    target: NotStatic<T, "task">,
    key: K,
    descriptor: TypedPropertyDescriptor<M & HandlesDurably<M, In, Out, Plain>>,
  ): void;
}

/** Makes a method a step, in both modes. */
export interface StepDecorator {
  <This, M extends AnyMethod>(
    method: M & StepShape<M>,
    context: ClassMethodDecoratorContext<This, M> & { readonly static: false; readonly private: false },
  ): void;
  <T extends object, K extends keyof T, M extends AnyMethod>(
    target: NotStatic<T, "step">,
    key: K,
    descriptor: TypedPropertyDescriptor<M & StepShape<M>>,
  ): void;
}
