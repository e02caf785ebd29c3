import { formatDuration } from "../domain/duration.ts";
import type { LiveRun } from "./live-run.ts";
import { endRun, isStillDue, placeRun, timeoutOf } from "./placement.ts";
import type { SchedulerState } from "./state.ts";

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

function roomForEnding(state: SchedulerState): number {
  let ending = 0;
  for (const { counts } of state.queues.values()) ending += counts.ending;
  return mostEnding - ending;
}

/**
 * Cancels runs that waited in their queue for longer than they, or their task, allow. Those of a paused task wait on.
 *
 * Returns whether none is left; as long as some are, nothing may be dispatched: it could be one of them.
 */
export function expireWaitingRuns(state: SchedulerState): boolean {
  let room = roomForEnding(state);
  for (const { waiting, isPaused } of state.queues.values()) {
    if (isPaused) continue;
    for (let run = waiting.first(); run !== undefined; run = waiting.first()) {
      const isWaiting = run.place === "queued" && run.turn === 1;
      const at = isWaiting ? timeoutOf(run) : undefined;
      if (at !== undefined && at > state.now) break;
      if (at !== undefined && room <= 0) return false;
      waiting.shift();
      if (at === undefined) continue;
      expire(state, run);
      room--;
    }
  }
  for (let next = state.timeouts.first(); next !== undefined; next = state.timeouts.first()) {
    const { run, turn } = next;
    const isWaiting = run.place === "queued" && run.turn === turn;
    if (isWaiting && next.at > state.now) return true;
    if (isWaiting && room <= 0) return false;
    state.timeouts.pop();
    if (!isWaiting) continue;
    const at = run.queue.isPaused ? state.now + pausedAgainMs : timeoutOf(run);
    if (at === undefined) continue;
    if (at <= state.now) {
      expire(state, run);
      room--;
    } else state.timeouts.push({ at, run, turn });
  }
  return true;
}

function expire(state: SchedulerState, run: LiveRun): void {
  const waited = formatDuration(timeoutOf(run)! - Math.max(run.readyAt, run.queue.resumedAt));
  endRun(state, run, "cancelled", { reason: `schedule timeout: waited ${waited} in the queue of "${run.task}"` });
}

/** The next moment at which a run becomes due or expires; undefined = none is known. Units: epoch milliseconds */
export function nextDeadline(state: SchedulerState): number | undefined {
  let at = state.due.first()?.at ?? Number.POSITIVE_INFINITY;
  if (roomForEnding(state) <= 0) return Number.isFinite(at) ? at : undefined; // the outcomes that come back go on with it
  at = Math.min(at, state.timeouts.first()?.at ?? Number.POSITIVE_INFINITY);
  for (const { waiting, isPaused } of state.queues.values()) {
    if (isPaused) continue;
    const first = waiting.first();
    if (first !== undefined) at = Math.min(at, timeoutOf(first) ?? Number.POSITIVE_INFINITY);
  }
  return at === Number.POSITIVE_INFINITY ? undefined : at;
}
