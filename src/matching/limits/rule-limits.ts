// A rule of a task as its limits: which limit a run comes under, and how much it takes of that.
import type { KeyExpression, KeyScope } from "../../domain/key-expression.ts";
import type { Limit } from "./limit.ts";

/** What a run takes by one rule: of the limit with this key, so many units. */
export interface Share {
  readonly key: string;
  readonly units: number;
}

export interface RuleLimits {
  /** Undefined if the rule treats all runs of the task alike. */
  readonly key: KeyExpression | undefined;
  /** How much a run takes. Fails: Error that says why it cannot be computed. @default 1 */
  readonly units?: { readonly needsInput: boolean; of(scope: KeyScope): number } | undefined;
  /** Whether the rule counts the bytes of inputs. @default false */
  readonly countsBytes?: boolean;
  /** The limit of a key, for a new lane. */
  limitFor(key: string): Limit;
}
