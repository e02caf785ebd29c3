// Overdue attempts, which their workers should have ended: the event loop of such a worker is blocked, or it misbehaves. The leader ends them.

import { formatDuration } from "../domain/duration.ts";
import { cancelReasonOf, placeOf } from "../matching/attached.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import { endRun } from "../matching/ending.ts";
import type { Matching } from "../matching/matching.ts";
import { queueOf } from "../matching/task-queue.ts";
import { linger } from "../matching/unseen/lingering.ts";
import type { Booking, WorkerRecord } from "../matching/workers.ts";

/** How long a blocked event loop has to end an attempt itself: it may be blocked only for a while. Units: milliseconds */
const blockedGraceMs = 10_000;
/** How late a worker may end an attempt. One that sends heartbeats and still does not is broken, or not what it claims to be. Units: milliseconds */
const graceMs = 60_000;
const retryAfterMs = 1_000;
/** How often the attempts of a worker are looked at: ticks come with every burst of events, and a worker may hold ten thousand runs. */
const lookAtBlockedEveryMs = 1_000;
const lookEveryMs = 15_000;

/** Ends attempts that are past their timeout: their runs are retried elsewhere, or fail. What the worker reports later changes nothing. */
export function endOverdue(state: Matching, worker: WorkerRecord): void {
  const { isBlocked } = worker;
  const lookedAt = worker.overdueLookedAt;
  if (state.step.uptime - lookedAt < (isBlocked ? lookAtBlockedEveryMs : lookEveryMs)) return;
  worker.overdueLookedAt = state.step.uptime;
  const lateMs = isBlocked ? blockedGraceMs : graceMs;
  let overdue: Booking[] | undefined;
  for (const first of worker.ledger.values()) {
    for (let booking: Booking | undefined = first; booking !== undefined; booking = booking.next) {
      if (isOverdue(state, worker, booking, lateMs)) overdue = [...(overdue ?? []), booking];
    }
  }
  for (const booking of overdue?.sort((a, b) => a.origin - b.origin) ?? []) timeOut(state, worker, booking, lateMs);
}

/** Whether an attempt is past its timeout by more than `lateMs`. A durable run times its steps itself, unless its event loop is blocked. */
function isOverdue({ step }: Matching, worker: WorkerRecord, booking: Booking, lateMs: number): boolean {
  const { run, startedAt, until, since } = booking;
  const timeoutMs = run === undefined || placeOf(run) !== "running" ? undefined : worker.tasks.get(run.task)?.timeoutMs;
  if (timeoutMs === undefined) return false;
  if (worker.isBlocked && startedAt > 0) return step.now > (until ?? startedAt + timeoutMs) + lateMs;
  // By this leader's own clock, since that of the worker may be wrong.
  const allowedMs = until === undefined ? timeoutMs : Math.max(until - startedAt, timeoutMs);
  return !isDurable(run!) && step.uptime > since + allowedMs + lateMs;
}

function timeOut(state: Matching, worker: WorkerRecord, booking: Booking, lateMs: number): void {
  const { turn, origin, run, startedAt } = booking;
  linger(state, worker, booking); // its code keeps running
  worker.release(origin, turn);
  if (run === undefined) return;
  if (cancelReasonOf(run) !== undefined) {
    endRun(state, run, "cancelled", { worker: worker.id, startedAt, reason: cancelReasonOf(run) });
    return;
  }
  const after = `${formatDuration(lateMs)} after its timeout of ${formatDuration(worker.tasks.get(run.task)?.timeoutMs ?? 0)}`;
  const message = worker.isBlocked
    ? `task "${run.task}" blocks the event loop of its worker and was still running ${after}`
    : `task "${run.task}" was still running ${after}, and its worker had not ended it`;
  const ending = {
    worker: worker.id,
    startedAt,
    isTimeout: true,
    error: { name: "TimeoutError", message, retryable: true },
  };
  const mayRetry = run.attempt <= (queueOf(run).definition?.retries ?? 0);
  if (mayRetry) endRun(state, run, "retry", { ...ending, dueAt: state.step.now + retryAfterMs });
  else endRun(state, run, "failed", ending);
}
