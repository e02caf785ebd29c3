import type { CancelCause } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { awaitCancel, endRun } from "./placement.ts";
import { stopAttempt } from "./release.ts";
import type { SchedulerState } from "./state.ts";

/**
 * Cancels live runs: at once where nobody executes them, by their worker where somebody does.
 *
 * The wish for that is stored: whoever leads tells the worker until it has heard it, and a run whose worker is lost, or gives it back, ends
 * as `cancelled` instead of being queued. The first reason counts.
 */
export function cancelRuns(
  state: SchedulerState,
  keys: readonly string[],
  reason: string,
  cause: CancelCause = "caller",
): void {
  for (const key of keys) {
    const run = state.live.get(key);
    if (run === undefined) continue;
    if (run.cancelReason === undefined) {
      if (run.place !== "ending") run.queue.cancelled[cause]++;
      run.cancelReason = reason;
    }
    const assignment = run.worker?.find(run.origin, run.turn);
    if (assignment !== undefined) stopAttempt(state, run.worker!, assignment);
    else if (state.hold !== undefined && run.place === "queued")
      awaitCancel(state, run); // some worker may be executing it
    else if (run.place !== "ending" && run.place !== "cancelling") {
      endRun(state, run, "cancelled", { reason: run.cancelReason! });
      continue;
    }
    // Also for a second wish: who asked waits until it is stored.
    if (run.trail?.cancelWish === undefined) storeWish(state, run);
  }
}

function storeWish(state: SchedulerState, { key, turn, attempt, origin, cancelReason }: LiveRun): void {
  const wish = { at: state.now, dueAt: 0, detail: { reason: cancelReason! }, inbox: "", inputSeq: 0 };
  state.outgoing.push({ kind: "cancelling", key, turn, attempt, origin, ...wish });
}

/** The log says that a run is to be cancelled, which this engine did not know. */
export function heedWish(state: SchedulerState, run: LiveRun): void {
  const assignment = run.worker?.find(run.origin, run.turn);
  if (assignment !== undefined) stopAttempt(state, run.worker!, assignment);
  else if (run.place !== "ending") awaitCancel(state, run);
}

/** Ends runs that are to be cancelled and that nobody executes. After a takeover each worker may, until it has answered. */
export function endCancelling(state: SchedulerState): void {
  if (state.hold !== undefined) return;
  for (const run of state.cancelling) {
    if (state.queueIndex.isFull) return;
    state.cancelling.delete(run);
    if (run.place === "cancelling") endRun(state, run, "cancelled", { reason: run.cancelReason! });
  }
}
