// The keys of a run: what the rules of its task make of its input and metadata.
import { type KeyExpression, type KeyScope, parseKey } from "../../domain/key-expression.ts";
import { sealedField } from "../../domain/plain-fields.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { jsonOf } from "../../wire/bytes.ts";
import { isDeeperThan } from "../../wire/json-depth.ts";
import type { RuleLimits, Share } from "./rule-limits.ts";

/** The keys of a run decide which lane it belongs to. */
export interface RunKeys {
  /** The size of its input, where batches count bytes. */
  readonly bytes: number;
  readonly id: string;
  /** What it takes by each rule of its task. */
  readonly shares: readonly Share[];
}

/** What is attached to a run once its keys are known. They are valid only for the policies that computed them (`of`). */
export interface LaneKeys {
  readonly of: object;
  readonly keys: RunKeys;
}
export const laneKeysOf = (run: LiveRun): LaneKeys | undefined => run.laneKeys as LaneKeys | undefined;

export function registeredKey(text: string): KeyExpression;
export function registeredKey(text: string | null): KeyExpression | undefined;
export function registeredKey(text: string | null): KeyExpression | undefined {
  return text === null ? undefined : parseKey(text, "a registered rule");
}

/** Fails: Error that says which expression had no value for this run */
export function keysOf(run: LiveRun, input: Uint8Array | undefined, rules: readonly RuleLimits[]): RunKeys {
  const scope = scopeOf(run, input);
  const shares = rules.map(({ key, units }) => ({ key: key?.evaluate(scope) ?? "", units: units?.of(scope) ?? 1 }));
  const [only] = shares;
  const id = shares.length === 1 ? `${only!.units} ${only!.key}` : JSON.stringify(shares);
  return { bytes: input?.length ?? 0, id, shares };
}

/** Whether the input of a run decides how the rule applies to it. */
export const readsInput = ({ key, units, countsBytes }: RuleLimits): boolean =>
  key?.needsInput === true || units?.needsInput === true || countsBytes === true;

/** What to add to the message when a key has no value. Of an encrypted input only those fields are visible that its caller has declared. */
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

/** The CEL library needs a second for lists nested 6,000 deep: one caller could stop the namespace. */
const mostNested = 100;

function shallowJson(input: Uint8Array): unknown {
  if (isDeeperThan(mostNested, input))
    throw new Error(`the input is nested more than ${mostNested} levels deep, so no key can be computed`);
  return jsonOf(input);
}
