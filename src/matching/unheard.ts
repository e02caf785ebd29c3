// Workers that leaders before this one knew, and that have not said yet what they execute: it may be anything that seems to wait, and count for
// any key of their tasks.

import { goneAfterMs, stoppedAfterMs } from "../domain/cut-off.ts";
import type { KnownWorker } from "../wire/records.ts";
import type { Matching } from "./matching.ts";
import type { TaskQueue } from "./task-queue.ts";

/** So long nothing is dispatched because of them. */
const holdMs = 2_000;

export function awaitWorker(state: Matching, id: string, known: KnownWorker | undefined): void {
  const { keyed, process } = known ?? {};
  state.unheard.set(id, { until: state.step.uptime + stoppedAfterMs, keyed, process });
}

/** Where the worker lives, as far as one knows: whoever has not been heard yet is in no process of which anything else is known. */
export const processOf = ({ unheard, workers }: Matching, id: string): string | undefined =>
  unheard.get(id)?.process ?? workers.get(id)?.process;

/** Nobody can execute any more what counts for a key and was not heard of for so long. */
export function endUnheard(state: Matching): void {
  for (const [id, { until }] of state.unheard) if (until <= state.step.uptime) state.unheard.delete(id);
}

/** Whether nothing may be dispatched; afterwards a run may at worst be executed twice. */
export const isHolding = ({ unheard, step, ledSince }: Matching): boolean =>
  unheard.size > 0 && step.uptime < ledSince + holdMs;

/** Whether what seems to wait may execute: nothing happens to it that cannot be undone. */
export const isUnsure = ({ unheard, step, ledSince }: Matching): boolean =>
  unheard.size > 0 && step.uptime < ledSince + goneAfterMs;

/**
 * Until when at most nothing of the task may start, since nobody knows what executes of its keys; undefined = no longer.
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
