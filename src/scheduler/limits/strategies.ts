import { cancelRuns } from "../cancel.ts";
import type { LiveRun } from "../live-run.ts";
import type { SchedulerState } from "../state.ts";
import type { KeyLimit } from "./concurrency.ts";

/** Cancels runs of a key that has more than its limit lets execute, as its strategy says. */
export function cancelSurplus(state: SchedulerState, limit: KeyLimit, arrived: LiveRun): void {
  const { max, strategy, key } = limit.rule;
  if (strategy === "queue") return;
  const { members } = limit;
  members.add(arrived);
  for (const run of members) if (!isMember(run)) members.delete(run);
  const of = key === null ? "this task" : key;
  while (members.size > max) {
    const surplus = strategy === "cancel-newest" ? newestWaiting(members) : oldest(members);
    if (surplus === undefined) return;
    members.delete(surplus);
    const why =
      strategy === "cancel-newest"
        ? `${max} of ${of} were there before it (cancel-newest)`
        : `a newer run of ${of} came (cancel-in-progress)`;
    cancelRuns(state, [surplus.key], why, "limit");
  }
}

const isMember = (run: LiveRun): boolean =>
  (run.place === "queued" || run.place === "running") && run.cancelReason === undefined;

function newestWaiting(runs: Iterable<LiveRun>): LiveRun | undefined {
  let found: LiveRun | undefined;
  for (const run of runs) if (run.place === "queued" && (found === undefined || run.origin > found.origin)) found = run;
  return found;
}

function oldest(runs: Iterable<LiveRun>): LiveRun | undefined {
  let found: LiveRun | undefined;
  for (const run of runs) if (found === undefined || run.origin < found.origin) found = run;
  return found;
}
