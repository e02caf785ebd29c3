// matching/unseen/: what may be executing where this leader cannot see it.
// Unheard workers were known to an earlier leader and have not told this one yet what they execute. It may be any run that seems to be waiting, and
// count under any key of their tasks.

import { goneAfterMs, stoppedAfterMs } from "../../domain/cut-off.ts";
import type { KnownWorker } from "../../wire/records.ts";
import type { Matching } from "../matching.ts";
import type { TaskQueue } from "../task-queue.ts";

/** How long unheard workers keep everything from being dispatched. Units: milliseconds */
const holdMs = 2_000;

export function awaitWorker(state: Matching, id: string, known: KnownWorker | undefined): void {
  const { keyed, process } = known ?? {};
  state.unheard.set(id, { until: state.step.uptime + stoppedAfterMs, keyed, process });
}

/** The process of a worker, as far as this leader or the one before it knows. */
export const processOf = ({ unheard, workers }: Matching, id: string): string | undefined =>
  unheard.get(id)?.process ?? workers.get(id)?.process;

/** Forgets unheard workers after the time in which everything that counts under a concurrency limit must have stopped there. */
export function endUnheard(state: Matching): void {
  for (const [id, { until }] of state.unheard) if (until <= state.step.uptime) state.unheard.delete(id);
}

/** Whether nothing may be dispatched yet. Once that is over, a run may at worst be executed twice. */
export const isHolding = ({ unheard, step, ledSince }: Matching): boolean =>
  unheard.size > 0 && step.uptime < ledSince + holdMs;

/** Whether runs that seem to be waiting may be executing, so that nothing irreversible may happen to them. */
export const isUnsure = ({ unheard, step, ledSince }: Matching): boolean =>
  unheard.size > 0 && step.uptime < ledSince + goneAfterMs;

/**
 * Until when, at most, no run of the task may start, because it is not known which of its keys are executing; undefined = it may.
 *
 * Units: milliseconds on the scheduler's own clock
 */
export function withheldUntil(state: Matching, { name, policies }: TaskQueue): number | undefined {
  if (policies?.isKeyed !== true) return undefined;
  let latest: number | undefined;
  for (const { keyed, until } of state.unheard.values())
    if (keyed?.includes(name) !== false) latest = Math.max(latest ?? 0, until);
  return latest;
}

/** For a log line about a worker that is gone. */
export function describeUnheard(state: Matching, id: string): string {
  const unheard = state.unheard.get(id);
  if (unheard === undefined || unheard.keyed?.length === 0) return "";
  const seconds = Math.ceil((unheard.until - state.step.uptime) / 1_000);
  return `; those with a concurrency limit wait for up to ${seconds} s more, in case it still executes some`;
}
