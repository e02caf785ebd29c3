// matching/unseen/: what may be executing where this leader cannot see it.
// Workers known to earlier leaders that have not yet reported what they execute: it may be anything that seems to wait, and count for
// any key of their tasks.

import { goneAfterMs, stoppedAfterMs } from "../../domain/cut-off.ts";
import type { KnownWorker } from "../../wire/records.ts";
import type { Matching } from "../matching.ts";
import type { TaskQueue } from "../task-queue.ts";

/** How long they keep anything from being dispatched. */
const holdMs = 2_000;

export function awaitWorker(state: Matching, id: string, known: KnownWorker | undefined): void {
  const { keyed, process } = known ?? {};
  state.unheard.set(id, { until: state.step.uptime + stoppedAfterMs, keyed, process });
}

/** The worker's process, as far as known: an unheard one is in no process about which anything else is known. */
export const processOf = ({ unheard, workers }: Matching, id: string): string | undefined =>
  unheard.get(id)?.process ?? workers.get(id)?.process;

/** Nobody can still be executing what counts for a key and was not reported for this long. */
export function endUnheard(state: Matching): void {
  for (const [id, { until }] of state.unheard) if (until <= state.step.uptime) state.unheard.delete(id);
}

/** Whether nothing may be dispatched; afterwards a run may at worst be executed twice. */
export const isHolding = ({ unheard, step, ledSince }: Matching): boolean =>
  unheard.size > 0 && step.uptime < ledSince + holdMs;

/** Whether runs that seem to wait may be executing: nothing irreversible may happen to them. */
export const isUnsure = ({ unheard, step, ledSince }: Matching): boolean =>
  unheard.size > 0 && step.uptime < ledSince + goneAfterMs;

/**
 * Until when, at most, nothing of the task may start because its executing keys are unknown; undefined = no longer.
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
