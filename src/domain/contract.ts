// A contract: what a caller and a worker agree on, so that neither has to import the other.
import { assertKnownOptions } from "./known-options.ts";
import { assertName } from "./names.ts";
import { assertPlainFields, type FieldIn } from "./plain-fields.ts";
import { type AnySchema, type StandardSchema, toStandard } from "./schema.ts";
import type { Wire } from "./wire.ts";

/** A name, an input and an output that a worker's method implements and a caller uses, without either importing the other. */
export interface Contract<I extends AnySchema = AnySchema, O extends AnySchema = AnySchema> {
  /** Name of the task. */
  readonly name: string;
  /** What a caller sends. */
  readonly input: I;
  /** What a caller gets. */
  readonly output: O;
  /** Fields of the input that stay readable where inputs are encrypted. */
  readonly plain?: readonly string[] | undefined;
}

/**
 * Declares a contract.
 *
 * Fails: TypeError for an illegal name or something that is not a schema
 * @example
 * ```ts
 * export const resize = contract("resize", { input: of<{ width: number }>(), output: of<{ url: string }>() });
 * ```
 */
export function contract<I extends AnySchema, O extends AnySchema>(
  name: string,
  shape: { readonly input: I; readonly output: O; readonly plain?: readonly FieldIn<I>[] },
): Contract<I, O> {
  const where = `contract ${JSON.stringify(name)}`;
  assertKnownOptions(shape, { options: ["input", "output", "plain"], of: "a contract", where });
  toStandard(shape.input, `${where}: input`);
  toStandard(shape.output, `${where}: output`);
  const { input, output } = shape;
  const plain = assertPlainFields(shape.plain, where);
  return { name: assertName("task", name, "contract"), input, output, ...(plain !== undefined && { plain }) };
}

/** A type without a check at run time: `of<{ width: number }>()`. What arrives is what JSON makes of it: a Date is a string. */
export const of = <T>(): StandardSchema<T, Wire<T>> => ({
  "~standard": { version: 1, vendor: "natchet", validate: (value) => ({ value: value as Wire<T> }) },
});
