import { formatDuration } from "../domain/duration.ts";
import type { LiveRun } from "./live-run.ts";
import { endRun, expectExpiry, isStillDue, placeRun, timeoutOf } from "./placement.ts";
import type { SchedulerState } from "./state.ts";
import type { TaskQueue } from "./task-queue.ts";

/** Queues the scheduled and retrying runs whose time has come. */
export function queueDueRuns(state: SchedulerState): void {
  for (let next = state.due.first(); next !== undefined; next = state.due.first()) {
    const isDue = isStillDue(next);
    if (isDue && next.at > state.now) return;
    state.due.pop();
    if (isDue) placeRun(state, next.run);
  }
}

/** How soon a timeout is looked at again that is over while its task is paused. */
const pausedAgainMs = 10_000;

/** After an outage a million may have waited too long: the outcomes of so many are on their way to the log at once, the others follow. */
const mostEnding = 20_000;

/**
 * Cancels runs that waited in their queue for longer than they, or their task, allow. Those of a paused task wait on.
 *
 * Returns whether none is left; as long as some are, nothing may be dispatched: it could be one of them.
 */
export function expireWaitingRuns(state: SchedulerState): boolean {
  const { expiries } = state.queueIndex;
  for (let next = expiries.first(); next !== undefined && next.at <= state.now; next = expiries.first()) {
    const { queue, at } = next;
    const isExpected = at === queue.expiryAt;
    if (isExpected && !expireFirst(state, queue)) return false;
    expiries.pop();
    if (!isExpected) continue;
    queue.expiryAt = Number.POSITIVE_INFINITY;
    expectExpiry(queue);
  }
  return expireOthers(state);
}

const isFull = ({ queueIndex }: SchedulerState): boolean => queueIndex.ending >= mostEnding;

/** The first turns of a queue; false when some have to wait for room. */
function expireFirst(state: SchedulerState, { waiting, isPaused }: TaskQueue): boolean {
  if (isPaused) return true;
  for (let run = waiting.first(); run !== undefined; run = waiting.first()) {
    const isWaiting = run.place === "queued" && run.turn === 1;
    const at = isWaiting ? timeoutOf(run) : undefined;
    if (at !== undefined && at > state.now) break;
    if (at !== undefined && isFull(state)) return false;
    waiting.shift();
    if (at !== undefined) expire(state, run);
  }
  return true;
}

function expireOthers(state: SchedulerState): boolean {
  for (let next = state.timeouts.first(); next !== undefined; next = state.timeouts.first()) {
    const { run, turn } = next;
    const isWaiting = run.place === "queued" && run.turn === turn;
    if (isWaiting && next.at > state.now) return true;
    if (isWaiting && isFull(state)) return false;
    state.timeouts.pop();
    if (!isWaiting) continue;
    const at = run.queue.isPaused ? state.now + pausedAgainMs : timeoutOf(run);
    if (at === undefined) continue;
    if (at <= state.now) expire(state, run);
    else state.timeouts.push({ at, run, turn });
  }
  return true;
}

function expire(state: SchedulerState, run: LiveRun): void {
  const waited = formatDuration(timeoutOf(run)! - Math.max(run.readyAt, run.queue.resumedAt));
  endRun(state, run, "cancelled", { reason: `schedule timeout: waited ${waited} in the queue of "${run.task}"` });
}

/** The next moment at which a run becomes due or expires; undefined = none is known. Units: epoch milliseconds */
export function nextDeadline(state: SchedulerState): number | undefined {
  const due = state.due.first()?.at ?? Number.POSITIVE_INFINITY;
  // Once there are too many, the outcomes that come back go on with it.
  const late = isFull(state) ? Number.POSITIVE_INFINITY : nextExpiry(state);
  const at = Math.min(due, late);
  return at === Number.POSITIVE_INFINITY ? undefined : at;
}

function nextExpiry({ timeouts, queueIndex }: SchedulerState): number {
  const first = queueIndex.expiries.first()?.at ?? Number.POSITIVE_INFINITY;
  return Math.min(first, timeouts.first()?.at ?? Number.POSITIVE_INFINITY);
}
