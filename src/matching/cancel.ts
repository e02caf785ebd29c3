// Cancelling: runs that somebody wants to end, from the wish until they have ended.
import type { CancelCause } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { cancelReasonOf, placeOf } from "./attached.ts";
import { watchFlow } from "./durable/limit-of-flow.ts";
import { isDurable } from "./durable/readiness.ts";
import { endRun } from "./ending.ts";
import type { Matching } from "./matching.ts";
import { awaitCancel, placeRun } from "./placement.ts";
import { stopAttempt } from "./release.ts";
import { setPlace } from "./task-queue.ts";
import { isUnsure } from "./unseen/unheard.ts";
import { workerOf } from "./workers.ts";

/**
 * Cancels live runs: at once if nobody executes them, otherwise through their worker.
 *
 * The wish is stored in the log: the leader repeats it until the worker has heard it, and a run that is lost or given back ends as `cancelled`
 * instead of being queued. The first reason counts. A durable run that has started is told, and ends by itself; `kill` ends any run at once.
 */
export function cancelRuns(
  state: Matching,
  keys: readonly string[],
  reason: string,
  cause: CancelCause = "caller",
  kill = false,
): void {
  for (const key of keys) {
    const run = state.fold.live.get(key);
    if (run === undefined) continue;
    state.step.about = run;
    if (cancelReasonOf(run) === undefined) {
      if (placeOf(run) !== "ending") state.noteCancelled(run.task, cause);
      run.askedReason = reason;
    }
    const booking = workerOf(run)?.find(run.origin, run.turn);
    if (kill && placeOf(run) !== "ending") {
      endRun(state, run, "cancelled", { reason: cancelReasonOf(run)! });
      continue;
    }
    if (mayHaveToUndo(state, run)) {
      if (run.trail?.cancelWish !== undefined) continue; // the run is offered the wish already
      storeWish(state, run);
      if (placeOf(run) === "queued") setPlace(run, "waiting"); // it is offered the wish once that is in the log
      continue;
    }
    if (booking !== undefined) stopAttempt(state, workerOf(run)!, booking);
    else if (isUnsure(state) && placeOf(run) === "queued")
      awaitCancel(state, run); // some worker may be executing it
    else if (placeOf(run) !== "ending" && placeOf(run) !== "cancelling") {
      endRun(state, run, "cancelled", { reason: cancelReasonOf(run)! });
      continue;
    }
    // Also when the run was to be cancelled before: each caller is answered once the wish is stored.
    if (run.trail?.cancelWish === undefined) storeWish(state, run);
  }
}

/** Whether this is a durable run that some worker may have started: then its code may have something to undo. */
const mayHaveToUndo = (state: Matching, run: LiveRun): boolean =>
  isDurable(run) && (run.turn > 1 || placeOf(run) === "running" || (isUnsure(state) && placeOf(run) === "queued"));

function storeWish(state: Matching, run: LiveRun): void {
  state.step.addOutcome(run, "cancelling", { detail: { reason: cancelReasonOf(run)! } });
}

/** Acts on a wish that the log has just told. */
export function heedWish(state: Matching, run: LiveRun): void {
  if (isDurable(run)) {
    watchFlow(state, run);
    if (placeOf(run) === "waiting") placeRun(state, run);
  }
  const booking = workerOf(run)?.find(run.origin, run.turn);
  if (booking !== undefined) stopAttempt(state, workerOf(run)!, booking);
  else if (placeOf(run) !== "ending" && !isDurable(run)) awaitCancel(state, run);
}

/** Ends runs that wait to be cancelled. Not while a new leader does not know which runs its workers execute: one of these may be among them. */
export function endCancelling(state: Matching): void {
  if (isUnsure(state)) return;
  for (const run of state.cancelling) {
    if (state.queueIndex.isFull) return;
    state.cancelling.delete(run);
    if (placeOf(run) === "cancelling") endRun(state, run, "cancelled", { reason: cancelReasonOf(run)! });
  }
}
