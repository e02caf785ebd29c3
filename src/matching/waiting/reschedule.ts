// Rescheduling: somebody moves a waiting run to another time.
import { latestTime } from "../../domain/time.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { setPlace } from "../task-queue.ts";

/**
 * Moves runs that nobody executes to another time; a past one means now. What is stored is an outcome that gives the run back until then, so that
 * every engine learns of it. Until the log brings that outcome back, the run is not dispatched.
 */
export function rescheduleRuns(state: Matching, keys: readonly string[], dueAt: number): void {
  for (const key of keys) {
    const run = state.fold.live.get(key);
    if (run === undefined || (placeOf(run) !== "scheduled" && placeOf(run) !== "retrying" && placeOf(run) !== "queued"))
      continue;
    setPlace(run, "ending");
    state.step.addOutcome(run, "returned", { dueAt: Math.min(Math.max(dueAt, state.step.now), latestTime) });
  }
}
