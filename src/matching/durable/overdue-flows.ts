// Ends durable runs that take too long.
import { cancelReasonOf, placeOf } from "../attached.ts";
import { cancelRuns } from "../cancel.ts";
import { endRun } from "../ending.ts";
import type { Matching } from "../matching.ts";
import { limitOf } from "./limit-of-flow.ts";

/** At its deadline a run is told to end; some time later it is ended. */
export function endOverdueFlows(state: Matching): void {
  const { flowLimits, step, fold, queueIndex } = state;
  while (flowLimits.least <= step.now && !queueIndex.isFull) {
    const run = flowLimits.pop()!;
    if (fold.live.get(run.key) !== run || placeOf(run) === "ending") continue;
    const limit = limitOf(run);
    if (limit === undefined) continue;
    if (limit > step.now) flowLimits.push(limit, run);
    else if (run.trail?.cancelWish !== undefined) endRun(state, run, "cancelled", { reason: cancelReasonOf(run) });
    else cancelRuns(state, [run.key], "the deadline of the run has passed", "deadline");
  }
}
