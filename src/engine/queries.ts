// What the engine knows, as answers: one run, many runs, queues, workers.
import { type RunInfo, type RunState, splitKey } from "../domain/run.ts";
import { jsonOf } from "../protocol/bytes.ts";
import type { QueueInfo, RunFilter, RunList, WorkerInfo } from "../protocol/messages.ts";
import { decodeOutcomeEntry, type FinalDetail } from "../protocol/outcome-entry.ts";
import type { FinishedRun } from "../scheduler/finished-run.ts";
import type { LiveRun } from "../scheduler/live-run.ts";
import type { SchedulerState } from "../scheduler/state.ts";
import type { WorkerRecord } from "../scheduler/workers.ts";
import type { Core } from "./core.ts";

/** Everything that is known of one run, with its input and output; null when the key is not known. Fails: StoreUnavailable */
export async function describeRun(core: Core, key: string): Promise<RunInfo | null> {
  const live = core.state.live.get(key);
  if (live !== undefined) {
    const input = await core.payloads.read(key, live.seq);
    return { ...liveInfo(live), ...(input && { input: jsonOf(input) }) };
  }
  const finished = core.state.finished.get(key);
  return finished === undefined ? null : describeFinished(core, finished);
}

async function describeFinished(core: Core, run: FinishedRun): Promise<RunInfo> {
  const stored = await core.store.read(run.seq);
  const outcome = stored && decodeOutcomeEntry(stored.data).outcomes[run.index];
  if (outcome === undefined) return finishedInfo(run);
  const detail = outcome.detail as FinalDetail;
  const last = detail.attempts.at(-1);
  return {
    ...finishedInfo(run),
    createdAt: detail.createdAt,
    priority: detail.priority || 1,
    attempts: detail.attempts,
    input: jsonOf(outcome.input),
    output: jsonOf(outcome.output),
    ...(last && { worker: last.worker, startedAt: last.startedAt }),
    ...(detail.error && { error: detail.error }),
    ...(detail.reason !== undefined && { reason: detail.reason }),
  };
}

/** The newest runs that match, live ones first. */
export function listRuns(state: SchedulerState, filter: RunFilter, limit: number, before?: number): RunList {
  const matches = matcherOf(filter);
  const runs: RunInfo[] = [];
  for (const run of state.live.values()) if (matches(run.key, stateOf(run), run.metadata)) runs.push(liveInfo(run));
  for (const run of state.finished.values())
    if (matches(run.key, run.kind as RunState, run.metadata)) runs.push(finishedInfo(run));
  const total = runs.length;
  const older = before === undefined ? runs : runs.filter((run) => run.createdAt < before);
  return { runs: older.sort((a, b) => b.createdAt - a.createdAt).slice(0, limit), total };
}

/** Keys of live runs that match. */
export function matchingKeys(state: SchedulerState, filter: RunFilter): string[] {
  const matches = matcherOf(filter);
  const keys: string[] = [];
  for (const run of state.live.values()) if (matches(run.key, stateOf(run), run.metadata)) keys.push(run.key);
  return keys;
}

export const describeQueues = (state: SchedulerState): QueueInfo[] =>
  Array.from(state.queues.values(), ({ name, counts, workers }) => ({
    task: name,
    queued: counts.queued + counts.ending,
    running: counts.running,
    scheduled: counts.scheduled,
    retrying: counts.retrying,
    workers: workers.size,
  })).sort((a, b) => (a.task < b.task ? -1 : 1));

export const describeWorkers = (state: SchedulerState): WorkerInfo[] =>
  Array.from(state.workers.values())
    .filter((worker) => worker.isRegistered)
    .map((worker) => ({
      id: worker.id,
      name: worker.name,
      state: workerState(worker),
      slots: worker.slots,
      busy: worker.busy,
      tasks: [...worker.tasks.keys()],
      labels: worker.labels,
      runtime: worker.runtime,
      version: worker.version,
      registeredAt: worker.registeredAt,
      lastHeartbeatAt: worker.lastHeartbeatAt,
    }));

function workerState(worker: WorkerRecord): WorkerInfo["state"] {
  if (worker.unreachableSince !== undefined) return "gone";
  if (worker.isSilent) return "silent";
  return worker.isQuiet ? "quiet" : "ready";
}

type Matcher = (key: string, state: RunState, metadata: Readonly<Record<string, string>> | undefined) => boolean;

function matcherOf(filter: RunFilter): Matcher {
  const tasks =
    filter.task === undefined ? undefined : new Set(typeof filter.task === "string" ? [filter.task] : filter.task);
  const states = filter.state && new Set(filter.state);
  const ids = filter.ids && new Set(filter.ids);
  const pairs = Object.entries(filter.metadata ?? {});
  return (key, state, metadata) => {
    if (states !== undefined && !states.has(state)) return false;
    const { task, id } = splitKey(key);
    if (tasks !== undefined && !tasks.has(task)) return false;
    if (ids !== undefined && !ids.has(id)) return false;
    return pairs.every(([name, value]) => metadata?.[name] === value);
  };
}

/** A run whose end is on its way to the log is still what it was for everybody else. */
function stateOf(run: LiveRun): RunState {
  if (run.place === "scheduled" || run.place === "retrying" || run.place === "running") return run.place;
  return "queued";
}

function liveInfo(run: LiveRun): RunInfo {
  const state = stateOf(run);
  const assignment = run.worker?.find(run.key, run.turn, run.origin);
  return {
    task: run.task,
    id: run.id,
    state,
    attempt: run.attempt,
    priority: run.queue.priorityOf(run),
    createdAt: run.createdAt,
    metadata: run.metadata ?? {},
    attempts: run.history ?? [],
    ...((state === "scheduled" || state === "retrying") && { dueAt: run.readyAt }),
    ...(run.worker && { worker: run.worker.id }),
    ...(assignment && { startedAt: assignment.startedAt }),
  };
}

const finishedInfo = (run: FinishedRun): RunInfo => ({
  task: run.task,
  id: splitKey(run.key).id,
  state: run.kind as RunState,
  attempt: run.attempt,
  priority: 1,
  createdAt: run.createdAt,
  finishedAt: run.at,
  metadata: run.metadata ?? {},
  attempts: [],
});
