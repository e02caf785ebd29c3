// Needs: what a run requires of its worker, which are labels, or the worker that it ran on before.
import { type AffinityRule, describeWish, weightOf } from "../domain/affinity.ts";
import type { TaskPolicies } from "../domain/policies.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { WorkerRecord } from "./workers.ts";

export interface Needs {
  /** Equal for runs with the same needs; empty for none. */
  readonly id: string;
  readonly rules: readonly AffinityRule[];
  readonly sticky: { readonly worker: string; readonly isHard: boolean } | undefined;
}

const nothing: Needs = { id: "", rules: [], sticky: undefined };
/** More than any sum of labels. */
const stickyWeight = 1e12;

export function needsOf(run: LiveRun, declared: TaskPolicies): Needs {
  const { placement } = run;
  const near = declared.sticky === undefined ? undefined : (run.history.at(-1)?.worker ?? placement?.near);
  const own = placement?.affinity;
  if (near === undefined && own === undefined && declared.affinity === undefined) return nothing;
  const rules = mergedRules(declared.affinity ?? [], own ?? []);
  const sticky = near === undefined ? undefined : { worker: near, isHard: declared.sticky === "hard" };
  return { id: JSON.stringify([rules, sticky]), rules, sticky };
}

/** How well the worker suits; undefined if it must not get the run. */
export function suitability({ rules, sticky }: Needs, worker: WorkerRecord): number | undefined {
  if (sticky?.isHard && worker.id !== sticky.worker) return undefined;
  const weight = rules.length === 0 ? 0 : weightOf(rules, worker.labels);
  return weight !== undefined && sticky?.worker === worker.id ? weight + stickyWeight : weight;
}

/** What a worker must have, in words. */
export function describeNeeds({ rules, sticky }: Needs): string {
  const asked = rules.filter(({ required }) => required).map(describeWish);
  if (sticky?.isHard) asked.push(`worker = ${sticky.worker}`);
  return asked.join(" and ");
}

function mergedRules(ofTask: readonly AffinityRule[], own: readonly AffinityRule[]): readonly AffinityRule[] {
  const named = new Set(own.map(({ label }) => label));
  return [...ofTask.filter(({ label }) => !named.has(label)), ...own];
}
