// `@Durable`: a method that may take months, and goes on where it was after any crash.
import { checkDurable, type DurableOptions } from "../src/domain/durable-task.ts";
import type { FieldIn } from "../src/domain/plain-fields.ts";
import type { AnySchema } from "../src/domain/schema.ts";
import type { AfterFirst, NameIn } from "./check.ts";
import type { DurableDecorator } from "./durable-check.ts";
import { stepMetadata, taskMetadata } from "./metadata.ts";
import { atCaller, decoratedPlaceOf } from "./place.ts";
import type { FieldsToCheck, Received, Returned } from "./task.ts";
import { assertFirst, readTaskArguments } from "./task-arguments.ts";

/** The options of `@Durable` with the types of its schemas. */
export interface TypedDurableOptions<
  I extends AnySchema | undefined,
  O extends AnySchema | undefined,
  P extends string = string,
> extends Omit<DurableOptions, "input" | "output" | "plain"> {
  /** Checks the input before the method sees it. */
  readonly input?: I;
  /** Checks what the method returns. */
  readonly output?: O;
  /** Fields of the input that stay readable where inputs are encrypted: those that the keys of limits read. */
  readonly plain?: readonly P[];
}

/** What may follow the first argument of `@Durable`: after a name, options; after a contract, options without schemas; after options, nothing. */
export type MoreDurableOptions<
  N,
  C extends string,
  I extends AnySchema | undefined,
  O extends AnySchema | undefined,
  P extends string = string,
> = AfterFirst<N, C, TypedDurableOptions<I, O, P>, TypedDurableOptions<undefined, undefined, P>>;

/**
 * Makes an async method a durable task: the results of its steps and waits are stored, so it continues where it was after a lost
 * worker or a deploy, and holds no slot while it waits. Also known as a workflow.
 *
 * To continue, the method starts again at its first line with the results it already has. So it must await only steps, the methods of its context, and
 * combinations of them; a run that awaits anything else is stopped, and waits for matching code.
 *
 * Fails: TypeError or RangeError at class definition, with the value, the rule and an example
 * @example
 * ```ts
 * @Durable("fulfil", { deadline: "30d" })
 * async fulfil(order: Order, ctx: DurableContext) {
 *   await this.reserve(order);
 *   await ctx.sleep("3d");
 *   await this.ship(order);
 * }
 * ```
 */
export function Durable<
  const N = undefined,
  const C extends string = never,
  I extends AnySchema | undefined = undefined,
  O extends AnySchema | undefined = undefined,
  const P extends FieldIn<I> = never,
>(
  first?: NameIn<N> | TypedDurableOptions<I, O, P> | { readonly name: C; readonly input: I; readonly output: O },
  options?: MoreDurableOptions<N, C, I, O, P>,
  ...nothing: never[]
): DurableDecorator<Received<I>, Returned<O>, FieldsToCheck<I, P>> {
  const { name, options: read } = atCaller(Durable, () => readTaskArguments("@Durable", [first, options, ...nothing]));
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => {
      const place = decoratedPlaceOf("@Durable", args);
      assertFirst("@Durable", place);
      if (stepMetadata.get(place))
        throw new TypeError(`${place.where}: a durable method cannot be a step as well; keep one`);
      assertAsync(place.method as Function, place.where);
      taskMetadata.set(place, checkDurable(name ?? place.key, read, place.where));
    });
  };
  return decorate as never;
}

/** What the compiler would refuse too. Builds for old engines have no async functions; those are checked when called. */
function assertAsync(method: Function, where: string): void {
  if (method.length > 2) throw new TypeError(`${where}: a durable method takes (input, ctx) and nothing more`);
  if (/^(?:async\s*)?(?:function\s*)?\*/.test(Function.prototype.toString.call(method)))
    throw new TypeError(`${where}: a durable method cannot be a generator; write an async method`);
}
