// Compile-time checks: a mistake turns the written type into a sentence, which the compiler then shows.

import type { BatchContext, TaskContext } from "../src/domain/context.ts";
import type { FieldsOf } from "../src/domain/plain-fields.ts";
import type { IsJson } from "../src/domain/wire.ts";

type Digits = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type IsWhole<Text extends string> = Text extends `${Digits}${infer Rest}`
  ? Rest extends ""
    ? true
    : IsWhole<Rest>
  : false;
type FiveOrMore<Text extends string> =
  Text extends `${infer _A}${infer _B}${infer _C}${infer _D}${infer _E}${infer _Rest}` ? true : false;

/** A number from 1 to 10,000; a non-literal `number` is checked at run time. */
export type Slots<N extends number> = number extends N
  ? N
  : N extends 10000
    ? N
    : IsWhole<`${N}`> extends false
      ? "slots must be a whole number from 1 to 10000"
      : N extends 0
        ? "slots must be a whole number from 1 to 10000"
        : FiveOrMore<`${N}`> extends true
          ? "slots must be a whole number from 1 to 10000"
          : N;

type Split<Text extends string, Found = never> = Text extends `${infer C}${infer Rest}`
  ? Split<Rest, Found | C>
  : Found;
type Letters = Split<"abcdefghijklmnopqrstuvwxyz">;
type Legal = Letters | Uppercase<Letters> | Digits | "_" | "-";
type IsLegal<Text extends string> = Text extends ""
  ? true
  : Text extends `${infer C}${infer Rest}`
    ? C extends Legal
      ? IsLegal<Rest>
      : false
    : false;

/** A name of A-Z a-z 0-9 _ and -; a non-literal `string` is checked at run time. */
export type Name<N extends string> = string extends N
  ? N
  : N extends ""
    ? "a name must not be empty"
    : IsLegal<N> extends true
      ? N
      : "a name has only the characters A-Z a-z 0-9 _ and -";

/** A legal name, or a sentence; also inferred from values that are not strings. */
export type NameIn<N> = N extends string ? Name<N> : never;

/** Any method. */
export type AnyMethod = (this: any, ...args: any[]) => unknown;
export type IsAny<T> = 0 extends 1 & T ? true : false;
export type TooMany<M extends AnyMethod> = Parameters<M> extends [unknown?, unknown?] ? false : true;
/** Whether the first parameter is the context, which comes second. */
export type ContextFirst<M extends AnyMethod, Context> =
  Parameters<M> extends [infer I, ...unknown[]]
    ? IsAny<I> extends true
      ? false
      : unknown extends I
        ? false
        : [I] extends [Context]
          ? true
          : false
    : false;

/** What a handler finally returns: promises and Effects are unwrapped (an Effect is recognized by its variance marker). */
export type HandlerOutput<R> = R extends { readonly "~effect/Effect": { readonly _A: (_: never) => infer A } }
  ? A
  : Awaited<R>;

/** `unknown` for an input that has these fields; a sentence for any other. */
export type HasFields<Input, Plain extends string> = [Plain] extends [never]
  ? unknown
  : [Plain] extends [FieldsOf<Input>]
    ? unknown
    : "plain names a field that the input does not have";

type MemberOf<Input, Ctx> = [Ctx] extends [BatchContext] ? (Input extends readonly (infer One)[] ? One : any) : Input;

/** `unknown` for a method that accepts `In`, with the fields `Plain`, and returns `Out`; a sentence for any other. */
export type Handles<M extends AnyMethod, In, Out, Ctx = TaskContext, Plain extends string = never> =
  TooMany<M> extends true
    ? "a task takes (input, ctx) and nothing more"
    : ContextFirst<M, TaskContext> extends true
      ? "a task takes (input, ctx): the context comes second"
      : M extends (this: any, input: any, ctx: Ctx) => unknown
        ? ArrivesAs<Parameters<M>[0], In> extends false
          ? ArrivesOtherwise
          : M extends (this: any, input: In, ctx: Ctx) => unknown
            ? HandlerOutput<ReturnType<M>> extends Out
              ? HasFields<MemberOf<Parameters<M>[0], Ctx>, Plain>
              : "the method does not return what the output schema or the contract promises"
            : "the input parameter does not accept what the schema or the contract yields"
        : "the second parameter must accept a TaskContext (a batch task: a BatchContext)";

export type ArrivesOtherwise =
  "the input does not arrive like this: JSON makes a string of a Date, {} of a Map, and drops functions. Declare what arrives, or let a schema make it, for example z.coerce.date()";

/** Without a schema a handler receives plain JSON; a schema may turn it into anything. */
type ArrivesAs<P, In> =
  IsAny<In> extends true
    ? IsJson<P>
    : In extends readonly (infer One)[]
      ? IsAny<One> extends true
        ? IsJson<P>
        : true
      : true;

export type NotStatic<T, What extends string> = T extends abstract new (
  ...args: any
) => unknown
  ? `a static method cannot be a ${What}`
  : T;
export type Public<This> = { readonly static: false; readonly private: false; readonly name: keyof This };

/** Decorates a method, with TC39 decorators (first signature) and with `experimentalDecorators` (second). */
export interface TaskDecorator<In = any, Out = unknown, Ctx = TaskContext, Plain extends string = never> {
  <This, M extends AnyMethod>(
    method: M & Handles<M, In, Out, Ctx, Plain>,
    context: ClassMethodDecoratorContext<This, M> & Public<This>,
  ): void;
  <T extends object, K extends keyof T, M extends AnyMethod>(
    target: NotStatic<T, "task">,
    key: K,
    descriptor: TypedPropertyDescriptor<M & Handles<M, In, Out, Ctx, Plain>>,
  ): void;
}

/** What may follow the first argument: after a name, `Options`; after a contract, `Unchecked` options without schemas; after options, nothing. */
export type AfterFirst<N, C extends string, Options, Unchecked> = [C] extends [never]
  ? N extends string | undefined
    ? Options
    : "options are given once"
  : Omit<Unchecked, "input" | "output"> & {
      readonly input?: "the contract has an input already";
      readonly output?: "the contract has an output already";
    };

/** Decorates a class, in both modes. */
export type WorkerDecorator = <C extends abstract new (...args: any) => object>(
  cls: C,
  context?: ClassDecoratorContext<C>,
) => void;

type AnyFunction = (...args: any) => any;
/** `object` itself says nothing about its methods. */
type HasMethod<I> = string extends I
  ? false
  : [keyof I] extends [never]
    ? true
    : true extends { [K in keyof I]: I[K] extends AnyFunction ? true : never }[keyof I]
      ? true
      : false;

/** A class or an instance that may be a worker; a sentence for what cannot be one. */
export type Workable<W> =
  IsAny<W> extends true
    ? W
    : W extends new () => infer I
      ? HasMethod<I> extends true
        ? W
        : "a worker class has at least one method under @Task"
      : W extends abstract new (
            ...args: any
          ) => unknown
        ? "the constructor needs arguments: pass an instance, for example start(new EmailWorker(mailer))"
        : W extends AnyFunction
          ? "pass a class under @Worker or an instance of it"
          : HasMethod<W> extends true
            ? W
            : "a worker has at least one method under @Task";
