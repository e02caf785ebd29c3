// The keys of a run: the rules of its task, applied to its input and metadata.
import { isExpression, type KeyExpression, type KeyScope, parseKey } from "../../domain/key-expression.ts";
import type { ConcurrencyRule, RateRule } from "../../domain/limits.ts";
import { sealedField } from "../../domain/plain-fields.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { jsonOf } from "../../wire/bytes.ts";
import { isDeeperThan } from "../../wire/json-depth.ts";

export interface CompiledConcurrency {
  readonly rule: ConcurrencyRule;
  readonly key: KeyExpression | undefined;
}
export interface CompiledRate {
  readonly rule: RateRule;
  readonly key: KeyExpression | undefined;
  readonly units: KeyExpression | undefined;
}
/** Which lane a run belongs to. */
export interface RunKeys {
  /** Of its input, where batches count them. */
  readonly bytes: number;
  readonly id: string;
  readonly concurrency: readonly string[];
  readonly rates: readonly { readonly key: string; readonly units: number }[];
}

/** What is attached to a run once its keys are known: they are valid for the policies that computed them. */
export interface LaneKeys {
  readonly of: object;
  readonly keys: RunKeys;
}
export const laneKeysOf = (run: LiveRun): LaneKeys | undefined => run.laneKeys as LaneKeys | undefined;

const where = "a registered rule";
export const compileConcurrency = (rule: ConcurrencyRule): CompiledConcurrency => ({
  rule,
  key: rule.key === null ? undefined : parseKey(rule.key, where),
});
export const compileRate = (rule: RateRule): CompiledRate => ({
  rule,
  key: isExpression(rule.key) ? parseKey(rule.key, where) : undefined,
  units: typeof rule.units === "string" ? parseKey(rule.units, where) : undefined,
});

/** Fails: Error that says which expression had no value for this run */
export function keysOf(
  run: LiveRun,
  input: Uint8Array | undefined,
  concurrency: readonly CompiledConcurrency[],
  rates: readonly CompiledRate[],
  batchKey: KeyExpression | undefined,
): RunKeys {
  const scope = scopeOf(run, input);
  const keys = concurrency.map(({ key }) => (key === undefined ? "" : key.evaluate(scope)));
  const shares = rates.map(({ rule, key, units }) => ({
    key: key === undefined ? "" : key.evaluate(scope),
    units: units === undefined ? (rule.units as number) : unitsOf(units, rule, scope),
  }));
  const parts = [...keys, ...shares.flatMap(({ key, units }) => [key, String(units)])];
  if (batchKey !== undefined) parts.push(batchKey.evaluate(scope));
  const bytes = input?.length ?? 0;
  return { bytes, id: parts.length === 1 ? parts[0]! : JSON.stringify(parts), concurrency: keys, rates: shares };
}

/** What to add where no key came of an input. Encrypted ones show the fields that their caller has declared, and no others. */
export function hintFor(input: Uint8Array | undefined): string {
  if (!new TextDecoder().decode(input?.subarray(0, sealedStart.length)).startsWith(sealedStart)) return "";
  return "; its input is encrypted, and whoever enqueued it did not declare this field plain: see the option plain of @Task, and of encryption for calls by name";
}
const sealedStart = `{"${sealedField}":`;

/** The input is parsed only if an expression needs it: most keys are in the metadata. */
function scopeOf(run: LiveRun, input: Uint8Array | undefined): KeyScope {
  const { metadata = {} } = run;
  let parsed: unknown;
  let isParsed = input === undefined || input.length === 0;
  return {
    get input() {
      if (!isParsed) parsed = shallowJson(input!);
      isParsed = true;
      return parsed;
    },
    metadata,
    get bytes() {
      return (input?.length ?? 0) + sizeOf(metadata);
    },
  };
}

function sizeOf(metadata: Readonly<Record<string, string>>): number {
  let size = 0;
  for (const name in metadata) size += name.length + metadata[name]!.length;
  return size;
}

/** The library needs a second for the type of lists nested 6,000 deep: one caller would stop the namespace. */
const mostNested = 100;

function shallowJson(input: Uint8Array): unknown {
  if (isDeeperThan(mostNested, input))
    throw new Error(`the input is nested more than ${mostNested} levels deep, so no key can be computed`);
  return jsonOf(input);
}

function unitsOf(expression: KeyExpression, rule: RateRule, scope: KeyScope): number {
  const units = Number(expression.evaluate(scope));
  if (Number.isSafeInteger(units) && units >= 0 && units <= rule.limit) return units;
  throw new Error(`${expression.text} is ${units}; units must be a whole number from 0 to the limit, ${rule.limit}`);
}
