// Every refusal of an option's value has one form: where, the rule, what was given, and an example.
import { toText } from "./thrown.ts";

/** Quotes text, so that "5" is not mistaken for 5. */
export const shownValue = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "number" ? String(value) : toText(value);
};

/** `where must be rule, not value; for example …` */
export const refusal = (where: string, rule: string, value: unknown, example?: string): string =>
  `${where} must be ${rule}, not ${shownValue(value)}${example === undefined ? "" : `; for example ${example}`}`;

export interface WholeNumbers {
  readonly from: number;
  /** No limit when absent. */
  readonly to?: number;
  readonly example: string;
}

/** A number from the environment; anything else is returned unchanged, and refused by the check that follows. */
export const numberOf = (given: string | number): string | number =>
  String(given).trim() === "" || Number.isNaN(Number(given)) ? given : Number(given);

/** Fails: RangeError */
export function assertWhole(value: unknown, where: string, { from, to, example }: WholeNumbers): number {
  const number = value as number;
  if (Number.isSafeInteger(value) && number >= from && (to === undefined || number <= to)) return number;
  throw new RangeError(
    refusal(where, `a whole number from ${from}${to === undefined ? "" : ` to ${to}`}`, value, example),
  );
}

/** Fails: TypeError */
export function assertOneOf<const T>(value: unknown, where: string, values: readonly T[], example?: string): T {
  if ((values as readonly unknown[]).includes(value)) return value as T;
  throw new TypeError(refusal(where, `one of ${values.join(", ")}`, value, example));
}

/** Fails: RangeError */
export function assertNumber(isSo: boolean, where: string, rule: string, value: unknown, example?: string): void {
  if (!isSo) throw new RangeError(refusal(where, rule, value, example));
}

/** Fails: TypeError */
export function assertType(isSo: boolean, where: string, rule: string, value: unknown, example?: string): void {
  if (!isSo) throw new TypeError(refusal(where, rule, value, example));
}
