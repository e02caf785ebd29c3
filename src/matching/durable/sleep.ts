// Runs that wait for something outside: they are left alone until it has arrived.
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { setPlace } from "../task-queue.ts";

/** It wakes by what the log brings, or at the first of its deadlines. */
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

/** Its earlier entry may have passed, or come later. */
const isExpected = (run: LiveRun, at: number): boolean => placeOf(run) === "waiting" && firstDeadline(run) === at;

function firstDeadline({ flow }: LiveRun): number {
  if (flow?.blocked?.again !== undefined) return flow.blocked.again;
  let at = Number.POSITIVE_INFINITY;
  for (const wait of flow?.waits ?? []) if (wait.kind === "timer") at = Math.min(at, wait.deadline);
  return at;
}
