// A signal: a message to a durable run that it waits for by name.
import { assertKnownOptions } from "./known-options.ts";
import { type AnySchema, type InputOf, type OutputOf, type StandardSchema, toStandard } from "./schema.ts";

/** A message to one durable run; declared once, and shared by who sends it and who waits for it. */
export interface Signal<In = unknown, Out = In> {
  /** What tells signals of a run apart. */
  readonly name: string;
  /** Checks the data before it is sent. */
  readonly data: StandardSchema<In, Out> | undefined;
  /** Tells signals from other things that a run may wait for. */
  readonly kind: "signal";
}

/** What `run.send` takes after the signal: data that may be undefined can be left out. */
export type SentWith<In, Options> = undefined extends In
  ? [data?: In, options?: Options]
  : [data: In, options?: Options];

/** What a run is offered travels with its assignment, beside its input. Units: bytes */
export const largestSignal = (maxPayload: number): number => Math.floor(maxPayload / 4);

const legal = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Declares a signal: with a schema, which checks its data when it is sent; with a type alone; or without data, for one that says nothing
 * but that it came, and arrives as `true`.
 *
 * Fails: TypeError for an illegal name or something that is not a schema
 * @example
 * ```ts
 * export const Approve = signal("approve", { data: z.object({ ok: z.boolean() }) });
 * export const Paid = signal<{ reference: string }>("paid");
 * export const Stop = signal("stop");
 * ```
 */
export function signal<In = undefined>(name: string): Signal<In>;
export function signal<S extends AnySchema>(name: string, shape: { readonly data: S }): Signal<InputOf<S>, OutputOf<S>>;
export function signal(name: string, shape: { readonly data?: AnySchema } = {}): Signal<any, any> {
  const where = `signal ${JSON.stringify(name)}`;
  assertKnownOptions(shape, { options: ["data"], of: "a signal", where });
  if (typeof name !== "string" || !legal.test(name))
    throw new TypeError(
      `${where}: this is not a valid signal name; use 1 to 64 characters of A-Z a-z 0-9 _ and -, for example "approve"`,
    );
  const { data } = shape;
  return { name, data: data === undefined ? undefined : toStandard(data, `${where}: data`), kind: "signal" };
}
