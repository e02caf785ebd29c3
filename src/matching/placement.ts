// Placement: puts each live run where it must wait. Everything that makes a run move on comes through here.
import type { LiveRun } from "../fold/live-run.ts";
import { cancelReasonOf, placeOf } from "./attached.ts";
import { isDurable, isReady } from "./durable/readiness.ts";
import { admit, makeRoom } from "./durable/siblings.ts";
import { sleep } from "./durable/sleep.ts";
import { declarePolicies } from "./limits/declare.ts";
import type { Matching } from "./matching.ts";
import { queueOf, setPlace, type TaskQueue } from "./task-queue.ts";
import { watchTimeout } from "./waiting/schedule-timeouts.ts";

/** Places all live runs, oldest first, so that the queues are in order at once. */
export function placeAll(state: Matching): void {
  for (const task of state.fold.tasks.keys()) state.queueOf(task);
  const runs = Array.from(state.fold.live.values()).sort((a, b) => a.origin - b.origin);
  for (const run of runs) arrive(state, run);
}

/** Places a live run that has no place yet. */
export function arrive(state: Matching, run: LiveRun): void {
  const queue = (run.log.attached as TaskQueue | undefined) ?? state.queueOf(run.task);
  if (run.placement?.affinity !== undefined) queue.hasPlacements = true;
  placeRun(state, run);
}

/** The run is no longer live. If it was never placed, it has no place to leave. */
export function leave(state: Matching, run: LiveRun): void {
  state.step.about = run;
  if (placeOf(run) !== "gone") setPlace(run, "gone");
  if (state.cancelling.size > 0) state.cancelling.delete(run);
  if (state.misfits.size > 0) state.misfits.delete(run);
  const next = state.siblings.size === 0 ? undefined : makeRoom(state, run);
  if (next !== undefined) placeRun(state, next);
}

/** Puts a live run where it must wait: until it is due, until what it waits for arrives, or in its queue. */
export function placeRun(state: Matching, run: LiveRun): void {
  state.step.about = run;
  if (state.faulty.size > 0 && state.faulty.has(run.task)) {
    if (placeOf(run) !== "gone") setPlace(run, "gone");
    return;
  }
  if (mustEnd(run)) {
    awaitCancel(state, run);
    return;
  }
  // A run without a due time is ready as soon as it is stored, even if this engine's clock is slightly behind the server's.
  if (run.readyAt > state.step.now && run.readyAt > run.createdAt) {
    setPlace(run, run.attempt > 1 ? "retrying" : "scheduled");
    if (state.due.size > 2 * (state.fold.live.size + 512)) state.due.prune(isStillDue);
    state.due.push({ at: run.readyAt, run, turn: run.turn });
  } else if (isWishOnItsWay(run)) setPlace(run, "waiting");
  else if (!isReady(state.fold, run)) sleep(state, run);
  else if (admit(state, run)) enqueue(state, run);
}

/** Whether a wish to cancel this durable run is not in the log yet: once it is, the run is offered it. */
const isWishOnItsWay = (run: LiveRun): boolean =>
  run.askedReason !== undefined && run.trail?.cancelWish === undefined && isDurable(run);

/** Whether the run is to be cancelled, and may simply be ended. A durable run is told instead, because its code may have to clean up. */
export const mustEnd = (run: LiveRun): boolean => cancelReasonOf(run) !== undefined && !isDurable(run);

/** The run does not start any more: it is ended as soon as no worker can be executing it (`endCancelling`). */
export function awaitCancel(state: Matching, run: LiveRun): void {
  setPlace(run, "cancelling");
  state.cancelling.add(run);
}

export const isStillDue = (due: { run: LiveRun; turn: number }): boolean =>
  due.run.turn === due.turn && (placeOf(due.run) === "scheduled" || placeOf(due.run) === "retrying");

function enqueue(state: Matching, run: LiveRun): void {
  const queue = queueOf(run);
  setPlace(run, "queued");
  if (queue.policies === undefined && queue.hasPlacements) declarePolicies(state, queue, undefined);
  if (queue.policies === undefined) queue.ready.push(run, queue.priorityOf(run), queue.counts.queued);
  else queue.policies.arrive(run);
  watchTimeout(state, run);
}
