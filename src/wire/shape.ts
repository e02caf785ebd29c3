// Shapes: what a JSON value that anybody may have written must look like, as a guard for each field. Other fields are ignored.
import { isRecord } from "./ranges.ts";

type Guard = (value: unknown) => boolean;
type Is<T> = (value: unknown) => value is T;

/** A guard for `T`. Does not compile unless each field has its guard. */
export function shapeOf<T extends object>(fields: { readonly [K in keyof T]-?: Guard }): Is<T> {
  const guards = Object.entries<Guard>(fields);
  return (value): value is T => isRecord(value) && guards.every(([name, is]) => is(value[name]));
}

export const optional =
  (is: Guard): Guard =>
  (value) =>
    value === undefined || is(value);

export const listOf =
  <T>(is: Is<T>): Is<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(is);

/** A record with any names. */
export const mapOf =
  <T>(is: Is<T>): Is<Readonly<Record<string, T>>> =>
  (value): value is Readonly<Record<string, T>> =>
    isRecord(value) && Object.values(value).every(is);

export const isFlag: Is<boolean> = (value) => typeof value === "boolean";
