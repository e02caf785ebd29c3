// The strategies of concurrency limits: which run is cancelled when a key has too many.
import type { LiveRun } from "../../fold/live-run.ts";
import { cancelReasonOf, placeOf } from "../attached.ts";
import { cancelRuns } from "../cancel.ts";
import type { Matching } from "../matching.ts";
import { queueOf } from "../task-queue.ts";
import { isUnsure } from "../unseen/unheard.ts";
import type { KeyLimit } from "./concurrency.ts";

/**
 * Cancels runs over the limit of a key, by its strategy. After a takeover it is known which run is one too many only when each worker has told
 * what it executes. Until then the limit holds, and nothing is cancelled for it.
 */
export function weighFor(state: Matching, limit: KeyLimit, arrived: LiveRun): void {
  if (!isUnsure(state)) weigh(state, limit);
  else state.unweighed.set(limit, arrived);
}

/** Cancels what `weighFor` has deferred, once all workers have told what they execute. */
export function weighLimits(state: Matching): void {
  if (isUnsure(state)) return;
  // A limit that the task no longer declares does not count.
  for (const [limit, run] of state.unweighed) if (queueOf(run).policies?.has(limit) === true) weigh(state, limit);
  state.unweighed.clear();
}

function weigh(state: Matching, { rule, members }: KeyLimit): void {
  const { max, strategy, key } = rule;
  for (const run of members) if (!isMember(run)) members.delete(run);
  const of = key === null ? "this task" : key;
  while (members.size > max) {
    const surplus = strategy === "cancel-newest" ? newestWaiting(members) : oldest(members);
    if (surplus === undefined) return;
    members.delete(surplus);
    const why =
      strategy === "cancel-newest"
        ? `the limit of ${max} for ${of} was reached (cancel-newest)`
        : `a newer run of ${of} arrived (cancel-in-progress)`;
    cancelRuns(state, [surplus.key], why, "limit");
  }
}

const isMember = (run: LiveRun): boolean =>
  (placeOf(run) === "queued" || placeOf(run) === "running") && cancelReasonOf(run) === undefined;

function newestWaiting(runs: Iterable<LiveRun>): LiveRun | undefined {
  let found: LiveRun | undefined;
  for (const run of runs)
    if (placeOf(run) === "queued" && (found === undefined || run.origin > found.origin)) found = run;
  return found;
}

function oldest(runs: Iterable<LiveRun>): LiveRun | undefined {
  let found: LiveRun | undefined;
  for (const run of runs) if (found === undefined || run.origin < found.origin) found = run;
  return found;
}
