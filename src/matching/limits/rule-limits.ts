import type { KeyExpression, KeyScope } from "../../domain/key-expression.ts";
import type { Limit } from "./limit.ts";

/** What a run takes by one rule, and of which of its limits. */
export interface Share {
  readonly key: string;
  readonly units: number;
}

/** One rule of a task: how to find the limit that a run comes under, and how much of it the run takes. */
export interface RuleLimits {
  /** Undefined if the rule makes no difference between the runs of a task. */
  readonly key: KeyExpression | undefined;
  /** Fails: Error that says why this run has none. @default 1 */
  readonly units?: { readonly needsInput: boolean; of(scope: KeyScope): number } | undefined;
  /** Counts the bytes of inputs. @default false */
  readonly countsBytes?: boolean;
  /** What a new lane whose runs have this key takes from. */
  limitFor(key: string): Limit;
}
