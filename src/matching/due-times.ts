import { formatDuration } from "../domain/duration.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { placeOf } from "./attached.ts";
import { expectExpiry, scheduleTimeoutOf, timeoutOf } from "./expiry.ts";
import type { Matching } from "./matching.ts";
import { endRun, isStillDue, placeRun } from "./placement.ts";
import type { TaskQueue } from "./task-queue.ts";
import { queueOf } from "./task-queue.ts";
import { isUnsure } from "./unheard.ts";

/** Queues the scheduled and retrying runs whose time has come. */
export function queueDueRuns(state: Matching): void {
  for (let next = state.due.first(); next !== undefined; next = state.due.first()) {
    state.step.about = next.run;
    const isDue = isStillDue(next);
    if (isDue && next.at > state.step.now) return;
    state.due.pop();
    if (isDue) placeRun(state, next.run);
  }
}

/** How soon an expired timeout of a paused task is checked again. */
const pausedAgainMs = 10_000;

/**
 * Cancels runs that waited in their queue longer than they, or their task, allow. Those of a paused task keep waiting, and so do all while a
 * worker that a new leader has not heard from may be executing them.
 *
 * Returns whether none is left; as long as some are, nothing may be dispatched: it could be one of them.
 */
export function expireWaitingRuns(state: Matching): boolean {
  if (isUnsure(state)) return true;
  const expired: LiveRun[] = [];
  const isNobodyLate = expireQueues(state, expired) && expireOthers(state, expired);
  if (expired.length > 0) tellExpired(state, expired);
  return isNobodyLate;
}

function expireQueues(state: Matching, expired: LiveRun[]): boolean {
  const { expiries } = state.queueIndex;
  for (let next = expiries.first(); next !== undefined && next.at <= state.step.now; next = expiries.first()) {
    const { queue, at } = next;
    state.step.about = queue;
    const isExpected = at === queue.expiryAt;
    if (isExpected && !expireFirst(state, queue, expired)) return false;
    expiries.pop();
    if (!isExpected) continue;
    queue.expiryAt = Number.POSITIVE_INFINITY;
    expectExpiry(queue);
  }
  return true;
}

/** The first turns of a queue; false if some have to wait for room. */
function expireFirst(state: Matching, queue: TaskQueue, expired: LiveRun[]): boolean {
  const { waiting, isPaused, definition } = queue;
  if (isPaused || (definition?.scheduleTimeoutMs ?? null) === null) return true;
  for (let run = waiting.first(); run !== undefined; run = waiting.first()) {
    const isWaiting = placeOf(run) === "queued" && run.turn === 1;
    const at = isWaiting ? timeoutOf(run) : undefined;
    if (at !== undefined && at > state.step.now) break;
    if (at !== undefined && state.queueIndex.isFull) return false;
    waiting.shift();
    if (at !== undefined) expire(state, run, expired);
  }
  return true;
}

function expireOthers(state: Matching, expired: LiveRun[]): boolean {
  for (let next = state.timeouts.first(); next !== undefined; next = state.timeouts.first()) {
    const { run, turn } = next;
    state.step.about = run;
    const isWaiting = placeOf(run) === "queued" && run.turn === turn;
    if (isWaiting && next.at > state.step.now) return true;
    if (isWaiting && state.queueIndex.isFull) return false;
    state.timeouts.pop();
    if (!isWaiting) continue;
    const at = queueOf(run).isPaused ? state.step.now + pausedAgainMs : timeoutOf(run);
    if (at === undefined) continue;
    if (at <= state.step.now) expire(state, run, expired);
    else state.timeouts.push({ at, run, turn });
  }
  return true;
}

function expire(state: Matching, run: LiveRun, expired: LiveRun[]): void {
  const waited = formatDuration(scheduleTimeoutOf(run) ?? 0);
  endRun(state, run, "cancelled", { reason: `schedule timeout: waited ${waited} in the queue of "${run.task}"` });
  state.noteCancelled(run.task, "schedule timeout");
  expired.push(run);
}

/** Work was dropped undone: one log line for all of a task at a time. */
function tellExpired(state: Matching, expired: readonly LiveRun[]): void {
  const alike = Map.groupBy(expired, (run) => `${run.task} ${scheduleTimeoutOf(run)}`);
  for (const runs of alike.values()) {
    const [{ task }] = runs as [LiveRun];
    const timeout = formatDuration(scheduleTimeoutOf(runs[0]!) ?? 0);
    const count = runs.length === 1 ? "a run was" : `${runs.length} runs were`;
    const message = `${count} cancelled after waiting ${timeout} in the queue of task "${task}" (scheduleTimeout)`;
    state.step.commands.push({ type: "log", level: "warn", message, fields: { task, runs: runs.length, timeout } });
  }
}

/** The next moment at which a run becomes due or expires; undefined = none is known. Units: epoch milliseconds */
export function nextDeadline(state: Matching): number | undefined {
  const due = state.due.first()?.at ?? Number.POSITIVE_INFINITY;
  // If there are too many, returning outcomes continue this; after a takeover, answering workers.
  const late = state.queueIndex.isFull || isUnsure(state) ? Number.POSITIVE_INFINITY : nextExpiry(state);
  const at = Math.min(due, late);
  return at === Number.POSITIVE_INFINITY ? undefined : at;
}

function nextExpiry({ timeouts, queueIndex }: Matching): number {
  const first = queueIndex.expiries.first()?.at ?? Number.POSITIVE_INFINITY;
  return Math.min(first, timeouts.first()?.at ?? Number.POSITIVE_INFINITY);
}
