import { termsOf } from "../domain/policies.ts";
import { type ErrorRecord, isFinal, type OutcomeKind } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { declarePolicies } from "./limits/declare.ts";
import type { SchedulerState } from "./state.ts";
import { setPlace } from "./task-queue.ts";
import { watchTimeout } from "./waiting-time.ts";

/** Puts a live run where it has to wait: until it is due, or in its queue. */
export function placeRun(state: SchedulerState, run: LiveRun): void {
  if (run.cancelReason !== undefined) {
    awaitCancel(state, run);
    return;
  }
  // A clock that is a little behind the server's holds up nobody: what has no due time is ready as soon as it is stored.
  if (run.readyAt > state.now && run.readyAt > run.createdAt) {
    setPlace(run, run.attempt > 1 ? "retrying" : "scheduled");
    if (state.due.size > 2 * (state.live.size + 512)) state.due.prune(isStillDue);
    state.due.push({ at: run.readyAt, run, turn: run.turn });
  } else enqueue(state, run);
}

/** It does not begin any more. A leader ends it as soon as no worker can be executing it. */
export function awaitCancel(state: SchedulerState, run: LiveRun): void {
  setPlace(run, "cancelling");
  state.cancelling.add(run);
}

export const isStillDue = (due: { run: LiveRun; turn: number }): boolean =>
  due.run.turn === due.turn && (due.run.place === "scheduled" || due.run.place === "retrying");

function enqueue(state: SchedulerState, run: LiveRun): void {
  const { queue } = run;
  setPlace(run, "queued");
  if (queue.policies === undefined && queue.hasPlacements && state.isLeading) declarePolicies(state, queue, undefined);
  if (queue.policies === undefined) queue.ready.push(run, queue.priorityOf(run), queue.counts.queued);
  else queue.policies.arrive(run);
  watchTimeout(state, run);
}

/** What an outcome of the engine says beside its kind. */
export interface Ending {
  readonly reason?: string;
  readonly error?: ErrorRecord;
  /** The worker that had the run, and since when. */
  readonly worker?: string;
  readonly startedAt?: number;
  /** The attempt was not lost, its time was over. */
  readonly isTimeout?: boolean;
  /** When a retry is due. Units: epoch milliseconds */
  readonly dueAt?: number;
}

/** Appends an outcome of the engine's own; the run stays where it cannot be dispatched until the log brings that outcome back. */
export function endRun(state: SchedulerState, run: LiveRun, kind: OutcomeKind, ending: Ending): void {
  setPlace(run, "ending");
  const { turn, attempt, createdAt, priority, metadata } = run;
  const error = ending.error === undefined ? {} : { error: ending.error };
  const record =
    ending.worker === undefined
      ? undefined
      : {
          attempt,
          turn,
          worker: ending.worker,
          startedAt: ending.startedAt ?? state.now,
          endedAt: state.now,
          outcome: kind === "failed" && ending.isTimeout !== true ? ("lost" as const) : kind,
          ...error,
        };
  const terms = termsOf(run.placement, run.scheduleTimeoutMs);
  const attempts = [...run.history, ...(record === undefined ? [] : [record])];
  const detail =
    !isFinal(kind) && record !== undefined
      ? { attempt: record }
      : {
          createdAt,
          priority,
          ...(metadata === undefined ? {} : { metadata }),
          ...(terms === undefined ? {} : { terms }),
          attempts,
          ...error,
          ...(ending.reason === undefined ? {} : { reason: ending.reason }),
        };
  const inputStays = isFinal(kind) && run.isLarge;
  const inputSeq = isFinal(kind) && !run.isLarge ? run.seq : 0;
  state.outgoing.push({
    kind,
    key: run.key,
    turn,
    attempt,
    origin: run.origin,
    at: state.now,
    dueAt: ending.dueAt ?? 0,
    detail,
    inbox: isFinal(kind) ? run.inbox : "",
    inputSeq,
    inputStays,
  });
}
