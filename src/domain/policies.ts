// The policies of a task, and the terms of a run: what decides when and where a run starts.
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
  /** Slots that a run takes on its worker, if more than one. */
  readonly slots?: number;
  readonly affinity?: readonly AffinityRule[];
  readonly sticky?: Sticky;
  readonly batch?: BatchRule;
}

/** A run whose code enqueues another one. */
export interface Parent {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Id of the worker that executes it. */
  readonly worker: string;
}

/** What its caller said about a run besides priority and metadata. A replay of the run says it again. */
export interface RunTerms {
  readonly affinity?: readonly AffinityRule[];
  /** Units: milliseconds; null is without limit */
  readonly scheduleTimeoutMs?: number | null;
}

/** The terms of a run; undefined if its caller specified none, as for nearly all runs. */
export function termsOf(
  placement: RunPlacement | undefined,
  scheduleTimeoutMs: number | null | undefined,
): RunTerms | undefined {
  const affinity = placement?.affinity;
  if (affinity === undefined && scheduleTimeoutMs === undefined) return undefined;
  return { ...(affinity && { affinity }), ...(scheduleTimeoutMs !== undefined && { scheduleTimeoutMs }) };
}

/** What a run asks for besides what its task does. For the same label, the run's rule counts. */
export interface RunPlacement {
  readonly affinity?: readonly AffinityRule[];
  /** The worker of its parent. */
  readonly near?: string;
  /** How many of its siblings, the children of one `map`, may be under way at once. */
  readonly atOnce?: number;
}
