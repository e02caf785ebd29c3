// Which workers suit a task or a run, by their labels.
import { assertKnownOptions } from "./known-options.ts";
import { assertOneOf, assertType, shownValue } from "./option-values.ts";

export type LabelValue = string | number;
/** `in`: the label is one of the values. `>`, `>=`, `<` and `<=` compare numbers. */
export type Comparator = "=" | "!=" | ">" | ">=" | "<" | "<=" | "in";

/** What one label must be. */
export interface LabelWish {
  readonly value: LabelValue | readonly LabelValue[];
  /** @default "=" */
  readonly comparator?: Comparator | undefined;
  /** Only workers that meet it get the run; without one it waits. @default false */
  readonly required?: boolean | undefined;
  /** Of the workers with a free slot, the one with the highest sum of met weights gets the run. @default 100 */
  readonly weight?: number | undefined;
}
/** By label; a plain value is short for `{ value }`. @example { gpu: { value: "a100", required: true }, region: "eu" } */
export type AffinityInput = Readonly<Record<string, LabelValue | LabelWish>>;

export interface AffinityRule {
  readonly label: string;
  readonly value: LabelValue | readonly LabelValue[];
  readonly comparator: Comparator;
  readonly required: boolean;
  readonly weight: number;
}

const comparators: readonly Comparator[] = ["=", "!=", ">", ">=", "<", "<=", "in"];
const example = '{ gpu: { value: "a100", required: true }, memory: { value: 32, comparator: ">=", weight: 10 } }';

/** Fails: TypeError with the value, the rule and an example */
export function parseAffinity(given: AffinityInput | undefined, where: string): readonly AffinityRule[] {
  if (given === undefined) return [];
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  assertType(isObject, where, "an object of labels", given, example);
  return Object.entries(given).map(([label, asked]) => parseWish(label, asked, `${where}: ${label}`));
}

function parseWish(label: string, asked: LabelValue | LabelWish, where: string): AffinityRule {
  const wish = typeof asked === "object" && asked !== null ? asked : { value: asked };
  const options = ["value", "comparator", "required", "weight"];
  assertKnownOptions(wish, { options, of: "a label", where, example });
  const { value, comparator = "=", required = false, weight = 100 } = wish;
  assertOneOf(comparator, `${where}: comparator`, comparators);
  const isFitting = comparator === "in" ? Array.isArray(value) && value.every(isLabelValue) : isLabelValue(value);
  const rule = comparator === "in" ? "a list of strings or numbers" : "a string or a number";
  assertType(isFitting, `${where}: value`, rule, value, example);
  if (typeof value !== "number" && [">", ">=", "<", "<="].includes(comparator))
    throw new TypeError(`${where}: ${comparator} compares numbers, not ${shownValue(value)}; for example ${example}`);
  assertType(typeof required === "boolean", `${where}: required`, "true or false", required);
  assertType(Number.isFinite(weight), `${where}: weight`, "a number", weight, example);
  return { label, value, comparator, required, weight };
}

/** Whether a value has the shape of a rule. */
export function isAffinityRule(told: unknown): told is AffinityRule {
  if (typeof told !== "object" || told === null) return false;
  const { label, value, comparator, required, weight } = told as Partial<AffinityRule>;
  const isFitting = comparator === "in" ? Array.isArray(value) && value.every(isLabelValue) : isLabelValue(value);
  const isKnown = comparator !== undefined && comparators.includes(comparator);
  return isFitting && isKnown && typeof label === "string" && typeof required === "boolean" && Number.isFinite(weight);
}

/** The sum of the weights of met rules; undefined if a required rule is not met. */
export function weightOf(
  rules: readonly AffinityRule[],
  labels: Readonly<Record<string, LabelValue>>,
): number | undefined {
  let sum = 0;
  for (const rule of rules) {
    if (isMet(rule, labelOf(labels, rule.label))) sum += rule.weight;
    else if (rule.required) return undefined;
  }
  return sum;
}

/** A label may be called `constructor`. */
const labelOf = (labels: Readonly<Record<string, LabelValue>>, label: string): LabelValue | undefined =>
  Object.hasOwn(labels, label) ? labels[label] : undefined;

/** A worker without the label only meets `!=`. */
function isMet({ comparator, value }: AffinityRule, label: LabelValue | undefined): boolean {
  if (comparator === "!=") return label !== value;
  if (label === undefined) return false;
  if (comparator === "=") return label === value;
  if (comparator === "in") return (value as readonly LabelValue[]).includes(label);
  if (typeof label !== "number" || typeof value !== "number") return false;
  if (comparator === ">") return label > value;
  if (comparator === ">=") return label >= value;
  return comparator === "<" ? label < value : label <= value;
}

/** `gpu = "a100"` */
export const describeWish = ({ label, comparator, value }: AffinityRule): string =>
  `${label} ${comparator} ${shownValue(value)}`;

export const isLabelValue = (value: unknown): value is LabelValue =>
  typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
