// Due times: runs that move because a moment has come.
import type { Matching } from "../matching.ts";
import { isStillDue, placeRun } from "../placement.ts";
import { isUnsure } from "../unseen/unheard.ts";
import { nextExpiry } from "./schedule-timeouts.ts";

/** Queues the scheduled and retrying runs whose time has come. */
export function queueDueRuns(state: Matching): void {
  for (let next = state.due.first(); next !== undefined; next = state.due.first()) {
    state.step.about = next.run;
    const isDue = isStillDue(next);
    if (isDue && next.at > state.step.now) return;
    state.due.pop();
    if (isDue) placeRun(state, next.run);
  }
}

/** The next moment at which a run becomes due or expires; undefined = none is known. Units: epoch milliseconds */
export function nextDeadline(state: Matching): number | undefined {
  const due = state.due.first()?.at ?? Number.POSITIVE_INFINITY;
  // While too many runs are ending, outcomes that come back from the log bring a tick; after a takeover, workers that register do.
  const late = state.queueIndex.isFull || isUnsure(state) ? Number.POSITIVE_INFINITY : nextExpiry(state);
  const at = Math.min(due, late);
  return at === Number.POSITIVE_INFINITY ? undefined : at;
}
