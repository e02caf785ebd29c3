// Answers to queries, from what the engine knows. The bytes of finished runs are in the log: `FinishedInfo` says where.

import { First } from "../collections/first.ts";
import type { Cancellations, QueueInfo, RunFilter, WorkerInfo } from "../domain/listing.ts";
import type { Cancellation, RunInfo, RunState, Waiting } from "../domain/run.ts";
import { type FinishedRun, resultPlaceOf } from "../fold/finished-run.ts";
import { LiveRun } from "../fold/live-run.ts";
import { cancelReasonOf, placeOf } from "../matching/attached.ts";
import { explainSleep } from "../matching/durable/explain.ts";
import { priorityOf } from "../matching/task-queue.ts";
import { explainWaiting, stateOfWorker } from "../matching/waiting.ts";
import type { WorkerRecord } from "../matching/workers.ts";
import { workerOf } from "../matching/workers.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { isNewer, type PlaceInList } from "../wire/list-cursor.ts";

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
export function describeRun(scheduler: Scheduler, key: string): RunDescription | undefined {
  const live = scheduler.fold.live.get(key);
  if (live !== undefined) {
    const { info, at } = describeLive(scheduler, live);
    const matching = scheduler.leadership?.matching;
    const waiting = matching === undefined ? undefined : explainWaiting(matching, live);
    return { info: waiting === undefined ? info : { ...info, waiting }, at };
  }
  const finished = scheduler.fold.finished.get(key);
  return finished === undefined ? undefined : describeFinished(scheduler, finished);
}

/**
 * Lists matching runs, newest first. `before` is a `createdAt`; `after` the place of the last run of the previous page, so that runs of
 * one millisecond are neither lost nor repeated.
 */
export function listRuns(
  scheduler: Scheduler,
  filter: RunFilter,
  limit: number,
  before?: number,
  after?: PlaceInList,
): RunPage {
  let total = 0;
  const found = new First<LiveRun | FinishedRun>(limit, isNewer);
  for (const run of candidates(scheduler, filter)) {
    if (!matches(scheduler, run, filter)) continue;
    total += 1;
    if ((before === undefined || run.createdAt < before) && (after === undefined || isNewer(after, run)))
      found.add(run);
  }
  const runs = found
    .sorted()
    .map((run) => (run instanceof LiveRun ? describeListed(scheduler, run) : describeFinished(scheduler, run)));
  return { runs, total, isCut: found.isCut };
}

/** The oldest live runs that match and came after `after`, but not after `upTo`; by origin. What a cancel by filter means, in parts. */
export function liveRuns(
  scheduler: Scheduler,
  filter: RunFilter,
  limit: number,
  after: number,
  upTo: number,
): LivePage {
  const found = new First<LiveRun>(limit, (a, b) => a.origin < b.origin);
  for (const run of candidates(scheduler, filter)) {
    if (run instanceof LiveRun && run.origin > after && run.origin < upTo && matches(scheduler, run, filter))
      found.add(run);
  }
  return { runs: found.sorted(), isCut: found.isCut };
}

/** None, on a standby. */
export function describeQueues({ leadership }: Scheduler): QueueInfo[] {
  return Array.from(leadership?.matching.queues.values() ?? [], ({ name, counts, workers, isPaused }) => ({
    task: name,
    paused: isPaused,
    queued: counts.queued + counts.cancelling + counts.ending,
    running: counts.running,
    scheduled: counts.scheduled,
    retrying: counts.retrying,
    waiting: counts.waiting,
    workers: workers.size,
  }));
}

/** What happened to a live run that somebody cancelled, once that is stored; undefined: it is not. */
export function cancellationOf(scheduler: Scheduler, key: string): Cancellation | undefined {
  const live = scheduler.fold.live.get(key);
  if (live !== undefined) return live.trail?.cancelWish === undefined ? undefined : "stopping";
  return scheduler.fold.finished.get(key)?.kind === "cancelled" ? "cancelled" : "finished";
}

export function describeCancellations({ cancelled }: Scheduler): Cancellations[] {
  return Array.from(cancelled, ([task, runs]) => ({ task, runs }));
}

export function describeWorkers(scheduler: Scheduler): WorkerInfo[] {
  return [...scheduler.workers.values()].filter((worker) => worker.isRegistered).map(describeWorker);
}

function* candidates(scheduler: Scheduler, filter: RunFilter): Iterable<LiveRun | FinishedRun> {
  const tasks = filter.task === undefined ? undefined : typeof filter.task === "string" ? [filter.task] : filter.task;
  if (tasks === undefined || filter.ids === undefined) {
    yield* scheduler.fold.live.values();
    yield* scheduler.fold.finished.values();
    return;
  }
  for (const task of tasks) {
    for (const id of filter.ids) {
      const run = scheduler.fold.live.get(`${task}/${id}`) ?? scheduler.fold.finished.get(`${task}/${id}`);
      if (run !== undefined) yield run;
    }
  }
}

function matches(scheduler: Scheduler, run: LiveRun | FinishedRun, filter: RunFilter): boolean {
  if (
    filter.task !== undefined &&
    filter.task !== run.task &&
    !(Array.isArray(filter.task) && filter.task.includes(run.task))
  )
    return false;
  if (filter.state !== undefined && !filter.state.includes(stateOf(scheduler, run))) return false;
  if (filter.ids !== undefined && !filter.ids.includes(run.key.slice(run.task.length + 1))) return false;
  if (filter.waitingFor !== undefined && waitsFor(scheduler, run) !== filter.waitingFor) return false;
  if (filter.reason !== undefined && whyOf(run)?.includes(filter.reason) !== true) return false;
  return Object.entries(filter.metadata ?? {}).every(([name, value]) => run.metadata?.[name] === value);
}

const waitsFor = ({ leadership }: Scheduler, run: LiveRun | FinishedRun): Waiting["for"] | undefined =>
  leadership !== undefined && run instanceof LiveRun ? explainWaiting(leadership.matching, run)?.for : undefined;

const whyOf = (run: LiveRun | FinishedRun): string | undefined =>
  run instanceof LiveRun ? cancelReasonOf(run) : run.why;

function stateOf(scheduler: Scheduler, run: LiveRun | FinishedRun): RunState {
  return run instanceof LiveRun ? stateOfLive(scheduler, run) : (run.kind as RunState);
}

/** A standby knows which runs are due, not which are executing. */
function stateOfLive({ leadership, step }: Scheduler, run: LiveRun): RunState {
  if (leadership === undefined) {
    if (run.flow !== undefined) return "waiting";
    if (run.readyAt <= step.now || run.readyAt <= run.createdAt) return "queued";
    return run.attempt > 1 ? "retrying" : "scheduled";
  }
  const place = placeOf(run);
  return place === "cancelling" || place === "ending" || place === "gone" ? "queued" : place;
}

/** With what it waits for outside, which is known without workers and queues. */
function describeListed(scheduler: Scheduler, run: LiveRun): RunDescription {
  const { info, at } = describeLive(scheduler, run);
  if (info.state !== "waiting" || scheduler.leadership === undefined) return { info, at };
  return { info: { ...info, waiting: explainSleep(scheduler.fold, run) }, at };
}

function describeLive(scheduler: Scheduler, run: LiveRun): RunDescription {
  const { task, id, attempt, createdAt, readyAt, metadata, history } = run;
  const state = stateOfLive(scheduler, run);
  const worker = workerOf(run);
  const reason = cancelReasonOf(run);
  const startedAt = worker?.find(run.origin, run.turn)?.startedAt;
  const info: RunInfo = {
    ...{
      task,
      id,
      state,
      attempt,
      priority: priorityOf(run),
      createdAt,
      metadata: metadata ?? {},
      attempts: history,
      origin: run.origin,
    },
    ...(state === "scheduled" || state === "retrying" ? { dueAt: readyAt } : {}),
    ...(startedAt === undefined || worker === undefined ? {} : { startedAt, worker: worker.id }),
    ...(reason === undefined ? {} : { reason }),
  };
  return { info, at: { entrySeq: run.seq } };
}

function describeFinished({ fold }: Scheduler, run: FinishedRun): RunDescription {
  const { task, key, attempt, createdAt, at, metadata } = run;
  const { seq, index } = resultPlaceOf(fold, run);
  const id = key.slice(task.length + 1);
  const info: RunInfo = {
    task,
    id,
    state: run.kind as RunState,
    attempt,
    priority: 0,
    createdAt,
    finishedAt: at,
    metadata: metadata ?? {},
    attempts: [],
    origin: run.origin,
    ...(run.isErased && { erased: true }),
    ...(fold.pinned.has(key) && { inputIsGone: true }),
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
