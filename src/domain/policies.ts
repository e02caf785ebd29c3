import type { AffinityRule } from "./affinity.ts";
import type { BatchRule } from "./batch.ts";
import type { ConcurrencyRule, RateRule } from "./limits.ts";

/**
 * Where the next attempt goes: with `soft` to the worker of the attempt before, or of the parent, while that has a free slot; with `hard` to
 * that one only.
 */
export type Sticky = "soft" | "hard";

/** What of a task decides when and where its runs start, as its worker registers it; absent what it does not use. */
export interface TaskPolicies {
  readonly concurrency?: readonly ConcurrencyRule[];
  readonly rateLimits?: readonly RateRule[];
  /** Slots that a run takes on its worker, where it is not one. */
  readonly slots?: number;
  readonly affinity?: readonly AffinityRule[];
  readonly sticky?: Sticky;
  readonly batch?: BatchRule;
}

/** The run whose code enqueues another. */
export interface Parent {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Id of the worker that executes it. */
  readonly worker: string;
}

/** What its caller said about a run beside priority and metadata; a replay of it says so again. */
export interface RunTerms {
  readonly affinity?: readonly AffinityRule[];
  /** Units: milliseconds; null is without limit */
  readonly scheduleTimeoutMs?: number | null;
}

/** Undefined for a run of which nothing was said: nearly all of them. */
export function termsOf(
  placement: RunPlacement | undefined,
  scheduleTimeoutMs: number | null | undefined,
): RunTerms | undefined {
  const affinity = placement?.affinity;
  if (affinity === undefined && scheduleTimeoutMs === undefined) return undefined;
  return { ...(affinity && { affinity }), ...(scheduleTimeoutMs !== undefined && { scheduleTimeoutMs }) };
}

/** What one run asks beside its task: its rules go before those of its task for the same label. */
export interface RunPlacement {
  readonly affinity?: readonly AffinityRule[];
  /** The worker of its parent. */
  readonly near?: string;
  /** Of its siblings, the children of one `map`, only so many are started at once. */
  readonly atOnce?: number;
}
