import { endRun } from "./placement.ts";
import { stopAttempt } from "./release.ts";
import type { SchedulerState } from "./state.ts";
import type { CancelCause } from "./task-queue.ts";

/**
 * Cancels live runs: at once where nobody executes them, by their worker where somebody does.
 *
 * The wish is remembered: a run whose worker is lost, or gives it back, becomes `cancelled` instead of queued.
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
    if (run.cancelReason === undefined && run.place !== "ending") run.queue.cancelled[cause]++;
    run.cancelReason = reason;
    const assignment = run.worker?.find(run.origin, run.turn);
    if (assignment !== undefined) stopAttempt(state, run.worker!, assignment);
    else if (run.place !== "ending") endRun(state, run, "cancelled", { reason });
  }
}
