// Changes to runs by clients: cancels and reschedules. A change is stored before it is acknowledged.
import type { CancelReply } from "../domain/listing.ts";
import type { Leader } from "../leader/leader.ts";
import { placeOf } from "../matching/attached.ts";
import type { CancelRuns, Reschedule, RescheduleReply } from "../wire/verbs.ts";
import { cancellationOf } from "./describe.ts";
import { foldedFirst } from "./folded-first.ts";
import { matchingKeys } from "./queries.ts";

/** Longer reasons are cut: the reason is stored with every cancelled run. */
const longestReason = 4_000;
/** Runs in these places are not rescheduled. */
const unmovable: ReadonlySet<string> = new Set(["running", "waiting", "cancelling", "ending"]);

/** Cancels the named runs, or as many of those that match the filter as fit into the answer. */
export async function cancel(leader: Leader, request: CancelRuns): Promise<CancelReply> {
  const { runs, filter, cursor } = request;
  if (runs !== undefined) return foldedFirst(leader, runs, () => cancelAll(leader, runs, request));
  if (filter === undefined)
    throw new TypeError("a cancel request must name runs or filter; an empty filter is every unfinished run");
  if (cursor === undefined) await leader.progress.catchUp();
  const { items, ...next } = matchingKeys(leader, filter, cursor);
  return { ...(await cancelAll(leader, items, request)), ...next };
}

async function cancelAll(
  leader: Leader,
  keys: readonly string[],
  { reason, kill = false }: CancelRuns,
): Promise<CancelReply> {
  const { live, finished, unknown } = byState(leader, keys);
  await leader.handleFully({ type: "cancel", keys: live, reason: reason.slice(0, longestReason), kill });
  const did = { cancelled: [] as string[], stopping: [] as string[], finished };
  for (const key of live) {
    const cancellation = cancellationOf(leader.state, key);
    if (cancellation === undefined) throw new Error(`the cancellation of ${key} could not be stored; try again`);
    did[cancellation].push(key);
  }
  return { ...did, unknown };
}

export async function reschedule(leader: Leader, { runs, dueAt, delayMs }: Reschedule): Promise<RescheduleReply> {
  // After a takeover, a run that seems to be queued may be executing on a worker that has not registered yet.
  while (leader.state.isHolding) await new Promise((resolve) => setTimeout(resolve, 50));
  return foldedFirst(leader, runs, async () => {
    const { live, finished, unknown } = byState(leader, runs);
    const isRunning = (key: string) => unmovable.has(placeOf(leader.state.live.get(key)!));
    const rescheduled = live.filter((key) => !isRunning(key));
    const running = live.filter(isRunning);
    const at = delayMs === undefined ? dueAt : leader.now() + delayMs;
    await leader.handleFully({ type: "reschedule", keys: rescheduled, dueAt: at });
    return { rescheduled, running, finished, unknown };
  });
}

function byState(
  { state }: Leader,
  keys: readonly string[],
): { live: string[]; finished: string[]; unknown: string[] } {
  const stateOf = (key: string) => (state.live.has(key) ? "live" : state.finished.has(key) ? "finished" : "unknown");
  return { live: [], finished: [], unknown: [], ...Object.groupBy(keys, stateOf) };
}
