import { type ErrorRecord, isFinal, type OutcomeKind } from "../domain/run.ts";
import { declarePolicies } from "./limits/declare.ts";
import type { LiveRun } from "./live-run.ts";
import type { SchedulerState } from "./state.ts";
import { setPlace, type TaskQueue } from "./task-queue.ts";

/** Puts a live run where it has to wait: until it is due, or in its queue. */
export function placeRun(state: SchedulerState, run: LiveRun): void {
  // A clock that is a little behind the server's holds up nobody: what has no due time is ready as soon as it is stored.
  if (run.readyAt > state.now && run.readyAt > run.createdAt) {
    setPlace(run, run.attempt > 1 ? "retrying" : "scheduled");
    if (state.due.size > 2 * (state.live.size + 512)) state.due.prune(isStillDue);
    state.due.push({ at: run.readyAt, run, turn: run.turn });
  } else enqueue(state, run);
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

/** First turns without a timeout of their own expire in the order in which they come; all others are sorted. */
function watchTimeout(state: SchedulerState, run: LiveRun): void {
  const { waiting, counts } = run.queue;
  if (run.scheduleTimeoutMs === null) return;
  const last = waiting.last();
  if (run.turn === 1 && run.scheduleTimeoutMs === undefined && (last === undefined || last.readyAt <= run.readyAt)) {
    waiting.push(run);
    if (last === undefined) expectExpiry(run.queue);
    if (waiting.size > 2 * counts.queued + 1024) waiting.prune((r) => r.place === "queued" && r.turn === 1);
  } else {
    if (state.timeouts.size > 2 * (state.live.size + 512))
      state.timeouts.prune((t) => t.run.place === "queued" && t.run.turn === t.turn);
    state.timeouts.push({ at: timeoutOf(run) ?? run.readyAt, run, turn: run.turn });
  }
}

/** Sees to it that the queue is looked at when its first run will have waited too long. To be called where that moment may have come nearer. */
export function expectExpiry(queue: TaskQueue): void {
  const first = queue.isPaused ? undefined : queue.waiting.first();
  const at = first === undefined ? undefined : timeoutOf(first);
  if (at === undefined || at >= queue.expiryAt) return;
  queue.expiryAt = at;
  queue.index.expiries.push({ at, queue });
}

const defaultScheduleTimeoutMs = 300_000;

/** When the run will have waited too long, by what its task says now, a pause not counted; undefined = never. Units: epoch milliseconds */
export function timeoutOf(run: LiveRun): number | undefined {
  const definition = run.queue.definition;
  const own = run.scheduleTimeoutMs;
  const timeoutMs =
    own !== undefined ? own : definition !== undefined ? definition.scheduleTimeoutMs : defaultScheduleTimeoutMs;
  return timeoutMs === null ? undefined : Math.max(run.readyAt, run.queue.resumedAt) + timeoutMs;
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
  const attempts = [...run.history, ...(record === undefined ? [] : [record])];
  const detail =
    !isFinal(kind) && record !== undefined
      ? { attempt: record }
      : {
          createdAt,
          priority,
          ...(metadata === undefined ? {} : { metadata }),
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
