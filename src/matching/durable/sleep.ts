// Sleep: a parked run is left alone until what it waits for has arrived.
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { setPlace } from "../task-queue.ts";

/** Puts a run to sleep. It is woken by what the log brings, or at the first of its deadlines. */
export function sleep(state: Matching, run: LiveRun): void {
  setPlace(run, "waiting");
  const blocked = run.flow?.blocked;
  if (blocked !== undefined && blocked.again === undefined) {
    state.misfits.add(run);
    return;
  }
  const at = firstDeadline(run);
  if (at === Number.POSITIVE_INFINITY) return;
  const { sleeping } = state;
  if (sleeping.size > 2 * (state.fold.live.size + 512)) sleeping.prune(isExpected);
  sleeping.push(at, run);
}

/** Whether an entry of `sleeping` still holds: its run sleeps, and has no other first deadline by now. */
const isExpected = (run: LiveRun, at: number): boolean => placeOf(run) === "waiting" && firstDeadline(run) === at;

function firstDeadline({ flow }: LiveRun): number {
  if (flow?.blocked?.again !== undefined) return flow.blocked.again;
  let at = Number.POSITIVE_INFINITY;
  for (const wait of flow?.waits ?? []) if (wait.kind === "timer") at = Math.min(at, wait.deadline);
  return at;
}
