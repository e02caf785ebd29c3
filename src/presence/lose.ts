// Losing attempts and workers: what that means for the run, its slots and its limits.
import type { LiveRun } from "../fold/live-run.ts";
import { cancelReasonOf, placeOf } from "../matching/attached.ts";
import { isDurable } from "../matching/durable/readiness.ts";
import { endRun } from "../matching/ending.ts";
import type { Matching } from "../matching/matching.ts";
import { mustEnd, placeRun } from "../matching/placement.ts";
import { proveCaution } from "../matching/suspects/caution.ts";
import { wasAlone } from "../matching/suspects/suspects.ts";
import { linger } from "../matching/unseen/lingering.ts";
import type { Booking, WorkerRecord } from "../matching/workers.ts";

/**
 * Gives up an attempt whose worker is gone, or does not have it: the run becomes `lost` and is queued again.
 *
 * A run that somebody cancelled ends as cancelled instead. One that was lost too often fails, if it was alone in its process the last time:
 * otherwise another one may be to blame. Losses that are not deaths, such as an unacknowledged assignment, are tolerated twice
 * as often. A durable run never fails for this: its worker knows from the journal whether it makes progress, and which step kills it.
 */
export function loseAttempt(
  state: Matching,
  worker: WorkerRecord,
  booking: Booking,
  why: string,
  isDeath = false,
): void {
  const { key, turn, origin, run, startedAt } = booking;
  const isAlone = run !== undefined && wasAlone(state, worker, run);
  if (isDeath || !booking.isAcknowledged) linger(state, worker, booking);
  worker.release(origin, turn);
  if (run === undefined || placeOf(run) !== "running" || run.turn !== turn) return;
  const from = { worker: worker.id, startedAt };
  if (mustEnd(run)) endRun(state, run, "cancelled", { ...from, reason: cancelReasonOf(run) });
  else if (isAlone && !isDurable(run) && run.lost + 1 >= state.lostLimit * (isDeath ? 1 : 2)) {
    const message = `the worker of ${key} died ${run.lost + 1} times, the last time while nothing else was executing in its process: ${why}`;
    endRun(state, run, "failed", { ...from, error: { name: "WorkerLost", message, retryable: false } });
  } else endRun(state, run, "lost", { ...from, error: { name: "WorkerLost", message: why, retryable: true } });
}

/** Takes back a run that its worker never started: same turn, same place in the queue. */
export function takeBack(state: Matching, worker: WorkerRecord, booking: Booking): void {
  const { turn, origin, run } = booking;
  if (!booking.hasBegun) booking.lane?.refund();
  booking.hasBegun = true;
  worker.release(origin, turn);
  if (run === undefined || placeOf(run) !== "running" || run.turn !== turn) return;
  if (mustEnd(run)) endRun(state, run, "cancelled", { reason: cancelReasonOf(run) });
  else placeRun(state, run);
}

/** The input of a run is gone, so it cannot start. A run that is executing has its input already, and goes on. */
export function giveUpRun(state: Matching, run: LiveRun): void {
  state.queues.get(run.task)?.policies?.dropReading(run);
  if (placeOf(run) !== "queued" || state.fold.live.get(run.key) !== run) return;
  const message = "the input of this run cannot be read: its log entry was deleted or is damaged";
  endRun(state, run, "failed", { error: { name: "InputGone", message, retryable: false } });
}

/** Removes a worker. What it was executing is lost. */
export function dropWorker(state: Matching, worker: WorkerRecord, why: string, isDeath: boolean): void {
  for (const booking of worker.bookings()) loseAttempt(state, worker, booking, why, isDeath);
  for (const task of worker.tasks.keys()) state.queues.get(task)?.removeWorker(worker);
  state.workers.delete(worker.id);
  if (!worker.isRegistered) proveCaution(state);
}
