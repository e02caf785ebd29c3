import type { LiveRun } from "./live-run.ts";
import { endRun, placeRun } from "./placement.ts";
import type { SchedulerState } from "./state.ts";
import { answered } from "./takeover.ts";
import type { Assignment, WorkerRecord } from "./workers.ts";

/**
 * Gives up an attempt whose worker is gone, or does not have it: the run becomes `lost` and is queued again.
 *
 * A run that was to be cancelled is cancelled instead; one that was lost too often fails.
 */
export function loseAttempt(state: SchedulerState, worker: WorkerRecord, assignment: Assignment, why: string): void {
  const { key, turn, origin, run, startedAt } = assignment;
  worker.release(origin, turn);
  if (run === undefined || run.place !== "running" || run.turn !== turn) return;
  const from = { worker: worker.id, startedAt };
  if (run.cancelReason !== undefined) endRun(state, run, "cancelled", { ...from, reason: run.cancelReason });
  else if (run.lost + 1 >= state.options.lostLimit) {
    const message = `${key} was lost with its worker ${run.lost + 1} times; the last time: ${why}`;
    endRun(state, run, "failed", { ...from, error: { name: "WorkerLost", message, retryable: false } });
  } else endRun(state, run, "lost", { ...from, error: { name: "WorkerLost", message: why, retryable: true } });
}

/** Takes a run back that its worker never began: same turn, same place in the queue. */
export function takeBack(state: SchedulerState, worker: WorkerRecord, assignment: Assignment): void {
  const { turn, origin, run } = assignment;
  if (!assignment.hasBegun) assignment.lane?.refund();
  assignment.hasBegun = true;
  worker.release(origin, turn);
  if (run === undefined || run.place !== "running" || run.turn !== turn) return;
  if (run.cancelReason !== undefined) endRun(state, run, "cancelled", { reason: run.cancelReason });
  else placeRun(state, run);
}

/** Its input is gone, so it cannot begin. One that executes has its input already, and goes on. */
export function giveUpRun(state: SchedulerState, run: LiveRun): void {
  run.queue.policies?.dropReading(run);
  if (run.place !== "queued" || state.live.get(run.key) !== run) return;
  const message = "the input of this run cannot be read: its entry was deleted from the log, or is damaged";
  endRun(state, run, "failed", { error: { name: "InputGone", message, retryable: false } });
}

/** Removes a worker; what it held is lost. */
export function dropWorker(state: SchedulerState, worker: WorkerRecord, why: string): void {
  for (const assignment of worker.assignments()) loseAttempt(state, worker, assignment, why);
  for (const task of worker.tasks.keys()) state.queues.get(task)?.removeWorker(worker);
  state.workers.delete(worker.id);
  answered(state, worker.id);
}
