// Descriptions of runs, queues and workers, in the words of clients and from what the engine has in memory. Inputs and outputs are only in
// the log: the description of a run says where.
import { First } from "../collections/first.ts";
import type { Cancellations, QueueInfo, RunFilter, WorkerInfo } from "../domain/listing.ts";
import { type Cancellation, type RunInfo, type RunState, splitKey, type Waiting } from "../domain/run.ts";
import { type FinishedRun, resultPlaceOf } from "../fold/finished-run.ts";
import { LiveRun } from "../fold/live-run.ts";
import { cancelReasonOf, placeOf } from "../matching/attached.ts";
import { explainSleep } from "../matching/durable/explain.ts";
import { priorityOf } from "../matching/task-queue.ts";
import { explainWaiting, stateOfWorker } from "../matching/waiting/explain.ts";
import { type WorkerRecord, workerOf } from "../matching/workers.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { isNewer, type PlaceInList } from "../wire/list-cursor.ts";
import type { FoundRun } from "../wire/verbs.ts";

/** A run as the scheduler knows it, and where to read the rest. */
export interface RunDescription {
  readonly info: RunInfo;
  readonly at: NonNullable<FoundRun["at"]>;
}
/** `isCut`: more runs match than the page has room for. */
export interface RunPage {
  readonly runs: readonly RunDescription[];
  readonly total: number;
  readonly isCut: boolean;
}
type Run = LiveRun | FinishedRun;

export function describeRun(scheduler: Scheduler, key: string): RunDescription | undefined {
  const { fold, leadership } = scheduler;
  const live = fold.live.get(key);
  if (live !== undefined) return describeLive(scheduler, live, leadership && explainWaiting(leadership.matching, live));
  const finished = fold.finished.get(key);
  return finished && describeFinished(scheduler, finished);
}

/**
 * Lists matching runs, newest first. `before` is a `createdAt`; `after` is the place of the last run of the previous page, so that no run is
 * skipped or repeated where several were created in one millisecond.
 */
export function listRuns(
  scheduler: Scheduler,
  filter: RunFilter,
  limit: number,
  before = Number.POSITIVE_INFINITY,
  after?: PlaceInList,
): RunPage {
  let total = 0;
  const found = new First<Run>(limit, isNewer);
  for (const run of matchingRuns(scheduler, filter)) {
    total += 1;
    if (run.createdAt < before && (after === undefined || isNewer(after, run))) found.add(run);
  }
  return { runs: found.sorted().map((run) => describeListed(scheduler, run)), total, isCut: found.isCut };
}

/** The oldest live runs that match, of those with an origin between `after` and `upTo`: one part of a cancel by filter. */
export function liveRuns(scheduler: Scheduler, filter: RunFilter, limit: number, after: number, upTo: number) {
  const found = new First<LiveRun>(limit, (a, b) => a.origin < b.origin);
  for (const run of matchingRuns(scheduler, filter))
    if (run instanceof LiveRun && run.origin > after && run.origin < upTo) found.add(run);
  return { runs: found.sorted(), isCut: found.isCut };
}

/** Empty on a standby, which has no queues. */
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

/** What became of a run that a client cancels; undefined if its cancellation is not stored. */
export function cancellationOf({ fold }: Scheduler, key: string): Cancellation | undefined {
  const live = fold.live.get(key);
  if (live !== undefined) return live.trail?.cancelWish && "stopping";
  return fold.finished.get(key)?.kind === "cancelled" ? "cancelled" : "finished";
}

export function describeCancellations({ cancelled }: Scheduler): Cancellations[] {
  return Array.from(cancelled, ([task, runs]) => ({ task, runs }));
}

export function describeWorkers({ workers }: Scheduler): WorkerInfo[] {
  return [...workers.values()].filter((worker) => worker.isRegistered).map(describeWorker);
}

/** If the filter names tasks and ids, only the runs with these keys are looked at. */
function* matchingRuns(scheduler: Scheduler, filter: RunFilter): Iterable<Run> {
  const { live, finished } = scheduler.fold;
  const tasks = filter.task === undefined ? undefined : new Set([filter.task].flat());
  const ids = filter.ids === undefined ? undefined : new Set(filter.ids);
  const isMatch = (run: Run) =>
    (tasks === undefined || tasks.has(run.task)) &&
    (ids === undefined || ids.has(splitKey(run.key).id)) &&
    matchesRest(scheduler, run, filter);
  if (tasks === undefined || ids === undefined) {
    for (const run of live.values()) if (isMatch(run)) yield run;
    for (const run of finished.values()) if (isMatch(run)) yield run;
    return;
  }
  for (const task of tasks)
    for (const id of ids) {
      const run = live.get(`${task}/${id}`) ?? finished.get(`${task}/${id}`);
      if (run !== undefined && isMatch(run)) yield run;
    }
}

function matchesRest(scheduler: Scheduler, run: Run, { state, waitingFor, reason, metadata = {} }: RunFilter): boolean {
  if (state !== undefined && !state.includes(stateOf(scheduler, run))) return false;
  if (waitingFor !== undefined && waitsFor(scheduler, run) !== waitingFor) return false;
  if (reason !== undefined && whyOf(run)?.includes(reason) !== true) return false;
  return Object.entries(metadata).every(([name, value]) => run.metadata?.[name] === value);
}

const waitsFor = ({ leadership }: Scheduler, run: Run): Waiting["for"] | undefined =>
  leadership !== undefined && run instanceof LiveRun ? explainWaiting(leadership.matching, run)?.for : undefined;

const whyOf = (run: Run): string | undefined => (run instanceof LiveRun ? cancelReasonOf(run) : run.why);

/** A standby knows which runs are due, not which are executing. */
function stateOf({ leadership, step }: Scheduler, run: Run): RunState {
  if (!(run instanceof LiveRun)) return run.kind as RunState;
  if (leadership === undefined) {
    if (run.flow !== undefined) return "waiting";
    if (run.readyAt <= step.now || run.readyAt <= run.createdAt) return "queued";
    return run.attempt > 1 ? "retrying" : "scheduled";
  }
  const place = placeOf(run);
  return place === "cancelling" || place === "ending" || place === "gone" ? "queued" : place;
}

/** In a list, only waiting runs say what they wait for: it is known without a look at workers and queues. */
function describeListed(scheduler: Scheduler, run: Run): RunDescription {
  if (!(run instanceof LiveRun)) return describeFinished(scheduler, run);
  const sleeps = scheduler.leadership !== undefined && placeOf(run) === "waiting";
  return describeLive(scheduler, run, sleeps ? explainSleep(scheduler.fold, run) : undefined);
}

function describeLive(scheduler: Scheduler, run: LiveRun, waiting: Waiting | undefined): RunDescription {
  const common = describeAny(scheduler, run);
  const worker = workerOf(run);
  const startedAt = worker?.find(run.origin, run.turn)?.startedAt;
  const reason = cancelReasonOf(run);
  const info: RunInfo = {
    ...common,
    priority: priorityOf(run),
    attempts: run.history,
    ...((common.state === "scheduled" || common.state === "retrying") && { dueAt: run.readyAt }),
    ...(worker !== undefined && startedAt !== undefined && { startedAt, worker: worker.id }),
    ...(reason !== undefined && { reason }),
    ...(waiting !== undefined && { waiting }),
  };
  return { info, at: { entrySeq: run.seq } };
}

function describeFinished(scheduler: Scheduler, run: FinishedRun): RunDescription {
  const { seq, index } = resultPlaceOf(scheduler.fold, run);
  const info: RunInfo = {
    ...describeAny(scheduler, run),
    finishedAt: run.at,
    ...(run.isErased && { erased: true }),
    ...(scheduler.fold.pinned.has(run.key) && { inputIsGone: true }),
  };
  return { info, at: { outcomeSeq: seq, index } };
}

function describeAny(scheduler: Scheduler, run: Run): RunInfo {
  const { key, task, attempt, createdAt, origin, metadata = {} } = run;
  const state = stateOf(scheduler, run);
  return { task, id: splitKey(key).id, state, attempt, priority: 0, createdAt, metadata, attempts: [], origin };
}

function describeWorker(worker: WorkerRecord): WorkerInfo {
  const { id, name, slots, lagMs, labels, runtime, version, registeredAt, lastHeartbeatAt } = worker;
  const busy = Math.min(worker.busy, slots); // what was assigned ahead waits for one of them
  const load = { state: stateOfWorker(worker), slots, busy, lagMs, tasks: [...worker.tasks.keys()] };
  return { id, name, ...load, labels, runtime, version, registeredAt, lastHeartbeatAt };
}
