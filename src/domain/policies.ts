import type { ConcurrencyRule, RateRule } from "./limits.ts";

/** What of a task decides when and where its runs start, as its worker registers it; absent what it does not use. */
export interface TaskPolicies {
  readonly concurrency?: readonly ConcurrencyRule[];
  readonly rateLimits?: readonly RateRule[];
}
