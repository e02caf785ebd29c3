import { latestTime } from "../domain/time.ts";
import type { SchedulerState } from "./state.ts";
import { setPlace } from "./task-queue.ts";

/**
 * Moves runs that nobody executes to another time, one that has passed being now. Stored as an outcome that gives the run back until then, so that every engine that
 * folds the log knows it; until the log brings that outcome back, the run is not dispatched.
 */
export function rescheduleRuns(state: SchedulerState, keys: readonly string[], dueAt: number): void {
  for (const key of keys) {
    const run = state.live.get(key);
    if (run === undefined || (run.place !== "scheduled" && run.place !== "retrying" && run.place !== "queued"))
      continue;
    setPlace(run, "ending");
    const { turn, attempt, origin } = run;
    const kind = "returned" as const;
    const moved = {
      at: state.now,
      dueAt: Math.min(Math.max(dueAt, state.now), latestTime),
      detail: undefined,
      inbox: "",
      inputSeq: 0,
    };
    state.outgoing.push({ kind, key, turn, attempt, origin, ...moved });
  }
}
