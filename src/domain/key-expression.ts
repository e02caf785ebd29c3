// What groups the runs of a task: a CEL expression over the input and the metadata of a run, `input.userId` being the simplest.
import { Environment } from "@marcbachmann/cel-js";
import { asCel, mixNumbers } from "./cel-numbers.ts";
import { assertAffordable, costOf, expressionLimits, type KeyCost, longestExpression } from "./key-cost.ts";

/** What an expression can see of a run. */
export interface KeyScope {
  /** Parsed JSON of its own: an expression that computes changes its whole numbers to ints. */
  readonly input: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  /** How large both are as JSON: what an expression may take depends on it. @default 0 */
  readonly bytes?: number;
}
export interface KeyExpression {
  readonly text: string;
  /** Whether it can be evaluated without the input. */
  readonly needsInput: boolean;
  /** The key as text. Fails: Error whose message says what is missing */
  evaluate(scope: KeyScope): string;
}

const environment = mixNumbers(
  new Environment({ unlistedVariablesAreDyn: false, limits: expressionLimits })
    .registerVariable("input", "dyn")
    .registerVariable("metadata", "dyn"),
);
const quoted = `"[^"\\\\]*"|'[^'\\\\]*'`;
const path = `(?:input|metadata)(?:\\.\\w+|\\[(?:\\d+|${quoted})\\])*`;
const term = `\\s*(?:${path}|string\\(${path}\\)|${quoted})\\s*`;
/** Whether it only names and concatenates values, as most keys do: that needs no ints. */
const plain = new RegExp(`^${term}(?:\\+${term})*$`);
const example = '"input.userId" or "metadata.tenant + \\"/\\" + input.model"';

/** Workers register the same expressions again and again. */
const parsed = new Map<string, KeyExpression>();
const mostParsed = 1_000;
/** Every queued run has one, and so has everything that counts it. */
const longestKey = 1_024;

/** Fails: TypeError with the text, the rule and an example */
export function parseKey(text: unknown, where: string): KeyExpression {
  const known = typeof text === "string" ? parsed.get(text) : undefined;
  if (known !== undefined) return known;
  const expression = compile(text, where);
  if (parsed.size >= mostParsed) parsed.clear();
  parsed.set(expression.text, expression);
  return expression;
}

function compile(text: unknown, where: string): KeyExpression {
  if (typeof text !== "string" || text.trim() === "")
    throw new TypeError(
      `${where} must be a CEL expression over input and metadata, not ${show(text)}; for example ${example}`,
    );
  if (text.length > longestExpression)
    throw new TypeError(
      `${where}: an expression of ${text.length} characters is too long; ${longestExpression} is the maximum`,
    );
  const { evaluate, cost } = parse(text, where);
  const needsInput = /\binput\b/.test(text);
  const isPlain = plain.test(text);
  const inCel = (scope: KeyScope) => ({
    input: needsInput ? asCel(scope.input) : undefined,
    metadata: asCel(scope.metadata) as KeyScope["metadata"],
  });
  const evaluatePlain = (scope: KeyScope): unknown => {
    try {
      return evaluate(scope);
    } catch {
      return evaluate(inCel(scope)); // a field beside it may have a name that the library stumbles over
    }
  };
  return {
    text,
    needsInput,
    evaluate: (scope) => {
      let value: unknown;
      try {
        if (!isPlain) assertAffordable(cost, scope.bytes ?? 0);
        value = isPlain ? evaluatePlain(scope) : evaluate(inCel(scope));
      } catch (error) {
        throw new Error(`${text}: ${firstLine(error)}`);
      }
      return keyFrom(value, text);
    },
  };
}

function parse(text: string, where: string): { readonly evaluate: (scope: object) => unknown; readonly cost: KeyCost } {
  try {
    const program = environment.parse(text);
    const cost = costOf(program.ast as never); // before the check, which writes loops another way
    const checked = program.check();
    if (!checked.valid) throw checked.error;
    return { evaluate: program as never, cost };
  } catch (error) {
    throw new TypeError(
      `${where}: ${show(text)} is not a valid CEL expression over input and metadata: ${firstLine(error)}; for example ${example}`,
    );
  }
}

function keyFrom(value: unknown, text: string): string {
  if (typeof value === "string" && value.length > longestKey)
    throw new Error(`${text} has ${value.length} characters; a key has at most ${longestKey}`);
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  throw new Error(`${text} is ${kindOf(value)}; a key must be a string, a number or a boolean`);
}

/** Whether the text refers to the run; any other key of a rate limit is taken literally. */
export const isExpression = (text: string): boolean => /\b(input|metadata)\b/.test(text);

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? String(value) : Array.isArray(value) ? "a list" : `an ${typeof value}`;
const show = (value: unknown): string => JSON.stringify(value) ?? String(value);
const firstLine = (error: unknown): string => (error as Error).message.split("\n")[0]!;
