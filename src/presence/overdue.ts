// Attempts on workers whose event loop is blocked: their own deadline cannot end them, so the engine does.

import { formatDuration } from "../domain/duration.ts";
import { cancelReasonOf, placeOf } from "../matching/attached.ts";
import type { Matching } from "../matching/matching.ts";
import { endRun } from "../matching/placement.ts";
import { queueOf } from "../matching/task-queue.ts";
import type { Booking, WorkerRecord } from "../matching/workers.ts";

/** A loop that is blocked for a while only ends its attempts itself. */
const graceMs = 10_000;
const retryAfterMs = 1_000;
/** Ticks come with every burst of events, and a blocked worker may hold ten thousand runs. */
const lookEveryMs = 1_000;

/** Ends what is past its timeout: tried again elsewhere as a retry of its task, or failed. What its worker still reports changes nothing. */
export function endOverdue(state: Matching, worker: WorkerRecord): void {
  if (state.step.uptime < worker.overdueLookAt) return;
  worker.overdueLookAt = state.step.uptime + lookEveryMs;
  for (const booking of worker.bookings()) {
    const { run } = booking;
    if (run === undefined || placeOf(run) !== "running") continue;
    const timeoutMs = worker.tasks.get(run.task)?.timeoutMs;
    if (timeoutMs === undefined) continue;
    const until = booking.until ?? booking.startedAt + timeoutMs;
    if (state.step.now > until + graceMs) timeOut(state, worker, booking, timeoutMs);
  }
}

function timeOut(state: Matching, worker: WorkerRecord, booking: Booking, timeoutMs: number): void {
  const { turn, origin, run, startedAt } = booking;
  worker.release(origin, turn);
  if (run === undefined) return;
  if (cancelReasonOf(run) !== undefined) {
    endRun(state, run, "cancelled", { worker: worker.id, startedAt, reason: cancelReasonOf(run) });
    return;
  }
  const message = `task "${run.task}" blocks the event loop of its worker and was still running ${formatDuration(graceMs)} after its timeout of ${formatDuration(timeoutMs)}`;
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
