// Answers to queries, from what the engine knows. The bytes of finished runs are in the log: `FinishedInfo` says where.

import { First } from "../collections/first.ts";
import type { Cancellation, RunInfo, RunState } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { SchedulerState } from "../matching/state.ts";

import { explainWaiting, stateOfWorker } from "../matching/waiting.ts";
import type { WorkerRecord } from "../matching/workers.ts";
import { isNewer, type PlaceInList } from "../wire/list-cursor.ts";
import type { QueueInfo, RunFilter, WorkerInfo } from "../wire/messages.ts";
import type { Cancellations } from "./running-engine.ts";

/** A run as the scheduler knows it. `at` = where to read the rest: the entry of a live run, the outcome of a finished one. */
export interface RunDescription {
  readonly info: RunInfo;
  readonly at: { readonly entrySeq: number } | { readonly outcomeSeq: number; readonly index: number };
}
export interface RunPage {
  readonly runs: readonly RunDescription[];
  readonly total: number;
  /** More would have matched. */
  readonly isCut: boolean;
}
export interface LivePage {
  readonly runs: readonly LiveRun[];
  readonly isCut: boolean;
}
export function describeRun(state: SchedulerState, key: string): RunDescription | undefined {
  const live = state.live.get(key);
  if (live !== undefined) {
    const { info, at } = describeLive(live);
    const waiting = explainWaiting(state, live);
    return { info: waiting === undefined ? info : { ...info, waiting }, at };
  }
  const finished = state.finished.get(key);
  return finished === undefined ? undefined : describeFinished(finished);
}

/**
 * Lists runs that match, newest first. `before` is a `createdAt`; `after` the place of the last run of the page before, so that runs of
 * one millisecond are neither lost nor told twice.
 */
export function listRuns(
  state: SchedulerState,
  filter: RunFilter,
  limit: number,
  before?: number,
  after?: PlaceInList,
): RunPage {
  let total = 0;
  const found = new First<LiveRun | FinishedRun>(limit, isNewer);
  for (const run of candidates(state, filter)) {
    if (!matches(run, filter)) continue;
    total += 1;
    if ((before === undefined || run.createdAt < before) && (after === undefined || isNewer(after, run)))
      found.add(run);
  }
  const runs = found.sorted().map((run) => ("place" in run ? describeLive(run) : describeFinished(run)));
  return { runs, total, isCut: found.isCut };
}

/** The oldest live runs that match and came after `after`, but not after `upTo`; by origin. What a cancel by filter means, in parts. */
export function liveRuns(
  state: SchedulerState,
  filter: RunFilter,
  limit: number,
  after: number,
  upTo: number,
): LivePage {
  const found = new First<LiveRun>(limit, (a, b) => a.origin < b.origin);
  for (const run of candidates(state, filter)) {
    if ("place" in run && run.origin > after && run.origin < upTo && matches(run, filter)) found.add(run);
  }
  return { runs: found.sorted(), isCut: found.isCut };
}

export function describeQueues(state: SchedulerState): QueueInfo[] {
  return [...state.queues.values()].map(({ name, counts, workers, isPaused }) => ({
    task: name,
    paused: isPaused,
    queued: counts.queued + counts.cancelling + counts.ending,
    running: counts.running,
    scheduled: counts.scheduled,
    retrying: counts.retrying,
    workers: workers.size,
  }));
}

/** What became of a live run that was to be cancelled, once that is stored; undefined: it is not. */
export function cancellationOf(state: SchedulerState, key: string): Cancellation | undefined {
  const live = state.live.get(key);
  if (live !== undefined) return live.trail?.cancelWish === undefined ? undefined : "stopping";
  return state.finished.get(key)?.kind === "cancelled" ? "cancelled" : "finished";
}

export function describeCancellations(state: SchedulerState): Cancellations[] {
  const found: Cancellations[] = [];
  for (const { name: task, cancelled: runs } of state.queues.values())
    if (Object.values(runs).some((count) => count > 0)) found.push({ task, runs });
  return found;
}

export function describeWorkers(state: SchedulerState): WorkerInfo[] {
  return [...state.workers.values()].filter((worker) => worker.isRegistered).map(describeWorker);
}

function* candidates(state: SchedulerState, filter: RunFilter): Iterable<LiveRun | FinishedRun> {
  const tasks = filter.task === undefined ? undefined : typeof filter.task === "string" ? [filter.task] : filter.task;
  if (tasks === undefined || filter.ids === undefined) {
    yield* state.live.values();
    yield* state.finished.values();
    return;
  }
  for (const task of tasks) {
    for (const id of filter.ids) {
      const run = state.live.get(`${task}/${id}`) ?? state.finished.get(`${task}/${id}`);
      if (run !== undefined) yield run;
    }
  }
}

function matches(run: LiveRun | FinishedRun, filter: RunFilter): boolean {
  if (
    filter.task !== undefined &&
    filter.task !== run.task &&
    !(Array.isArray(filter.task) && filter.task.includes(run.task))
  )
    return false;
  if (filter.state !== undefined && !filter.state.includes(stateOf(run))) return false;
  if (filter.ids !== undefined && !filter.ids.includes(run.key.slice(run.task.length + 1))) return false;
  return Object.entries(filter.metadata ?? {}).every(([name, value]) => run.metadata?.[name] === value);
}

function stateOf(run: LiveRun | FinishedRun): RunState {
  if (!("place" in run)) return run.kind as RunState;
  return run.place === "cancelling" || run.place === "ending" || run.place === "gone" ? "queued" : run.place;
}

function describeLive(run: LiveRun): RunDescription {
  const { task, id, attempt, priority, createdAt, readyAt, metadata, history, worker } = run;
  const state = stateOf(run);
  const startedAt = worker?.find(run.origin, run.turn)?.startedAt;
  const info: RunInfo = {
    ...{
      task,
      id,
      state,
      attempt,
      priority: priority || run.queue.priorityOf(run),
      createdAt,
      metadata: metadata ?? {},
      attempts: history,
      origin: run.origin,
    },
    ...(state === "scheduled" || state === "retrying" ? { dueAt: readyAt } : {}),
    ...(startedAt === undefined || worker === undefined ? {} : { startedAt, worker: worker.id }),
    ...(run.cancelReason === undefined ? {} : { reason: run.cancelReason }),
  };
  return { info, at: { entrySeq: run.seq } };
}

function describeFinished(run: FinishedRun): RunDescription {
  const { task, key, attempt, createdAt, at, metadata, seq, index } = run;
  const id = key.slice(task.length + 1);
  const info: RunInfo = {
    task,
    id,
    state: stateOf(run),
    attempt,
    priority: 0,
    createdAt,
    finishedAt: at,
    metadata: metadata ?? {},
    attempts: [],
    origin: run.origin,
  };
  return { info, at: { outcomeSeq: seq, index } };
}

function describeWorker(worker: WorkerRecord): WorkerInfo {
  const { id, name, slots, busy, labels, runtime, version, registeredAt, lastHeartbeatAt } = worker;
  return {
    id,
    name,
    state: stateOfWorker(worker),
    slots,
    busy,
    lagMs: worker.lagMs,
    tasks: [...worker.tasks.keys()],
    labels,
    runtime,
    version,
    registeredAt,
    lastHeartbeatAt,
  };
}
