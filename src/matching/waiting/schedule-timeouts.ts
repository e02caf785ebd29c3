// Schedule timeouts: which runs are watched for waiting too long in their queue, and how they end.
import { formatDuration } from "../../domain/duration.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import { endRun } from "../ending.ts";
import type { Matching } from "../matching.ts";
import { queueOf, type TaskQueue } from "../task-queue.ts";
import { isUnsure } from "../unseen/unheard.ts";
import { expectExpiry, scheduleTimeoutOf, timeoutOf } from "./expiry.ts";

/** How soon the expired timeout of a run of a paused task is checked again. Units: milliseconds */
const pausedAgainMs = 10_000;

/** Watches a queued run. On their first turn, runs without a timeout of their own expire in the order in which they were queued; the others are sorted. */
export function watchTimeout(state: Matching, run: LiveRun): void {
  const { firstTurns, counts } = queueOf(run);
  if (run.scheduleTimeoutMs === null) return;
  const last = firstTurns.last();
  if (run.turn === 1 && run.scheduleTimeoutMs === undefined && (last === undefined || last.readyAt <= run.readyAt)) {
    firstTurns.push(run);
    if (last === undefined) expectExpiry(queueOf(run));
    if (firstTurns.size > 2 * counts.queued + 1024) firstTurns.prune((r) => placeOf(r) === "queued" && r.turn === 1);
  } else watchByTime(state, run);
}

function watchByTime(state: Matching, run: LiveRun): void {
  const at = timeoutOf(run);
  if (at === undefined) return;
  if (state.timeouts.size > 2 * (state.fold.live.size + 512))
    state.timeouts.prune((t) => placeOf(t.run) === "queued" && t.run.turn === t.turn);
  state.timeouts.push({ at, run, turn: run.turn });
}

/** Called when the timeouts of these tasks have changed: their runs are watched by the new ones. */
export function watchAgain(state: Matching, queues: ReadonlySet<TaskQueue>): void {
  if (queues.size === 0) return;
  const inOrder = new Set<LiveRun>();
  for (const queue of queues) {
    for (const run of queue.firstTurns) inOrder.add(run);
    expectExpiry(queue);
  }
  for (const run of state.fold.live.values()) {
    if (placeOf(run) !== "queued" || run.scheduleTimeoutMs !== undefined || !queues.has(queueOf(run))) continue;
    if (run.turn > 1 || !inOrder.has(run)) watchByTime(state, run);
  }
}

/**
 * Cancels runs that have waited in their queue for longer than they, or their task, allow. Runs of a paused task keep waiting, and so do all while a
 * worker that a new leader has not heard from may be executing them.
 *
 * Returns whether none is left. While some are, nothing may be dispatched: it could be one of them.
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

/** Cancels what is too late among the runs in `firstTurns`. Returns false if too many runs are ending, and some are left. */
function expireFirst(state: Matching, queue: TaskQueue, expired: LiveRun[]): boolean {
  const { firstTurns, isPaused, definition } = queue;
  if (isPaused || (definition?.scheduleTimeoutMs ?? null) === null) return true;
  for (let run = firstTurns.first(); run !== undefined; run = firstTurns.first()) {
    const isWaiting = placeOf(run) === "queued" && run.turn === 1;
    const at = isWaiting ? timeoutOf(run) : undefined;
    if (at !== undefined && at > state.step.now) break;
    if (at !== undefined && state.queueIndex.isFull) return false;
    firstTurns.shift();
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

/** Logs work that was dropped undone: one line for all runs of a task at a time. */
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

/** When the next run will have waited too long; infinity if none is known. Units: epoch milliseconds */
export function nextExpiry({ timeouts, queueIndex }: Matching): number {
  const first = queueIndex.expiries.first()?.at ?? Number.POSITIVE_INFINITY;
  return Math.min(first, timeouts.first()?.at ?? Number.POSITIVE_INFINITY);
}
