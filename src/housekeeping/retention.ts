/**
 * Forgetting finished runs, so that the fold of what is left stays the fold of the whole log:
 *
 * 1. clearing: the run entries of all keys to forget are purged, or put into finished form where only they tell how it ended;
 * 2. marking: a retention mark is appended; every engine forgets the same keys when it folds it;
 * 3. settling: entries that came in between go, and whatever else needs the old outcomes is compacted after them;
 * 4. purging: the outcomes up to S go.
 *
 * Entries go before outcomes, so that a crash at any point leaves no entry without its outcome.
 */

import { taskOf } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import { isEntryGarbage, setEntry } from "../fold/finished-run.ts";
import type { PurgeFilter } from "../matching/commands.ts";
import type { SchedulerState } from "../matching/state.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import { compactFinished, compactLive, purgeEntry } from "./compaction.ts";
import { collectGarbage, countLargeBlockers, moveBlockers, purgeHead } from "./garbage.ts";

const lookEveryMs = 50;
const askAgainAfterMs = 30_000;
const purgesAtOnce = 1_000;

/** Goes one step on, if this engine leads and nothing that it asked for is still open. */
export function keepHouse(state: SchedulerState): void {
  const { retention, uptime } = state;
  if (!state.isLeading || uptime < retention.nextLookAt) return;
  retention.nextLookAt = uptime + lookEveryMs;
  if (uptime - retention.leadingSince < state.options.housekeepingDelayMs) return;
  if (retention.phase !== "idle" && uptime - retention.askedAt > askAgainAfterMs) startAgain(state);
  if (retention.phase === "idle") chooseMark(state);
  else if (isAnswerOpen(state)) return;
  // Garbage is collected while a cycle waits, but not before the cycle had its turn: a busy engine has always some.
  if (!advanceCycle(state)) collectGarbage(state);
}

/** Takes the cycle one step further; false if there is none, or it has to wait for something that nobody can be asked for. */
function advanceCycle(state: SchedulerState): boolean {
  const { retention } = state;
  if (retention.phase === "clearing") {
    if (clearForgotten(state) === 0) appendMark(state);
    return true;
  }
  if (retention.phase !== "settling") return false;
  if (settleOutcomes(state) > 0) return isAnswerOpen(state);
  retention.phase = "purging";
  retention.askedAt = state.uptime;
  state.commands.push({ type: "purge", filter: "outcomes", keepFrom: retention.upTo + 1 });
  return true;
}

/** The engine has purged what it was asked to. */
export function purged(state: SchedulerState, filter: PurgeFilter, keepFrom: number): void {
  const { retention } = state;
  if (filter === "outcomes") {
    retention.purgedTo = Math.max(retention.purgedTo, keepFrom - 1);
    if (retention.phase === "purging" && keepFrom > retention.upTo) retention.phase = "idle";
  } else if ("task" in filter) {
    const queue = state.queueOf(filter.task);
    const { entries } = queue;
    state.queueIndex.purging.delete(queue);
    entries.purgedTo = Math.max(entries.purgedTo, keepFrom);
  } else if ("key" in filter) dropPurged(state, taskOf(filter.key), filter.key, [filter.key], keepFrom);
  else {
    const { keys } = state.queueOf(filter.of).entries.bundleAt(keepFrom - 1) ?? { keys: [] };
    dropPurged(state, filter.of, filter.bundle, keys, keepFrom);
  }
}

function dropPurged(
  state: SchedulerState,
  task: string,
  name: string,
  keys: readonly string[],
  keepFrom: number,
): void {
  state.retention.purgingKeys.delete(name);
  for (const key of keys) {
    const finished = state.finished.get(key);
    if (finished !== undefined && finished.entrySeq < keepFrom) setEntry(state.queueOf(task).entries, finished, 0);
    if ((state.leftovers.get(key) ?? keepFrom) < keepFrom) state.leftovers.delete(key);
  }
}

function isAnswerOpen(state: SchedulerState): boolean {
  const { compacting, purgingKeys } = state.retention;
  return compacting.size > 0 || purgingKeys.size > 0 || state.queueIndex.purging.size > 0;
}

function startAgain(state: SchedulerState): void {
  state.retention.stop();
  state.queueIndex.purging.clear();
  state.retention.askedAt = state.uptime;
}

/** Decides what to forget: in batches, since each costs a scan of the index. */
function chooseMark(state: SchedulerState): void {
  const { finished, retention, options, now } = state;
  const excess = finished.size - options.keepCount;
  const takeCount = excess >= Math.max(1, options.keepCount * 0.02) ? excess : 0;
  const oldest = finished.values().next().value;
  const takeOld = oldest !== undefined && now - oldest.at > options.keepMs * 1.02;
  if (takeCount === 0 && !takeOld) return;
  const upTo = markFor(state, takeCount, takeOld);
  if (upTo === 0) return;
  retention.upTo = upTo;
  retention.phase = "clearing";
  retention.askedAt = state.uptime;
}

/** The lowest S that forgets so many, or all that are too old; late outcomes of zombies let a key outlive its neighbours. */
function markFor(state: SchedulerState, takeCount: number, takeOld: boolean): number {
  let upTo = 0;
  let taken = 0;
  let later: number[] = [];
  for (const run of state.finished.values()) {
    if (taken >= takeCount && !(takeOld && state.now - run.at > state.options.keepMs)) break;
    upTo = Math.max(upTo, run.seq);
    if (run.lastOutcome <= upTo) taken++;
    else later.push(run.lastOutcome);
    if (later.length === 0) continue;
    const still = later.filter((seq) => seq > upTo);
    taken += later.length - still.length;
    later = still;
  }
  if (taken >= takeCount) return taken === 0 ? 0 : upTo;
  return later.sort((a, b) => a - b)[takeCount - taken - 1]!;
}

/** Those whose accepted outcome is at or below a sequence, and those that are not in order. */
function* finishedUpTo({ finished, unordered }: SchedulerState, upTo: number): Iterable<FinishedRun> {
  yield* unordered;
  for (const run of finished.values()) {
    if (unordered.has(run)) continue;
    if (run.seq > upTo) return;
    yield run;
  }
}

/** Asks for the removal of the entries of all keys that the mark will forget; returns how many were still there. */
function clearForgotten(state: SchedulerState): number {
  const { upTo } = state.retention;
  const garbage = new Map<TaskQueue, FinishedRun[]>();
  let open = 0;
  for (const run of finishedUpTo(state, upTo)) {
    if (run.lastOutcome > upTo || run.entrySeq === 0 || run.isCompacted) continue;
    open++;
    if (!isEntryGarbage(run, state.retention)) compactFinished(state, run);
    else {
      const queue = state.queueOf(run.task);
      const others = garbage.get(queue);
      if (others === undefined) garbage.set(queue, [run]);
      else others.push(run);
    }
  }
  for (const queue of state.queues.values()) {
    const runs = garbage.get(queue);
    // A purge of which no answer came, from the last time that this engine led.
    const isUnsure = queue.entries.clearTo > queue.entries.purgedTo;
    if (runs !== undefined || isUnsure) purgeHead(state, queue);
    if (runs !== undefined) removeBlocked(state, queue, runs);
    if (isUnsure) open++;
  }
  if (open > 0) state.retention.askedAt = state.uptime;
  return open;
}

/** What lies behind entries that must stay: few are purged one by one, for many what blocks them is moved, unless that is much more work. */
function removeBlocked(state: SchedulerState, queue: TaskQueue, runs: readonly FinishedRun[]): void {
  const blocked = runs.filter((run) => run.entrySeq > 0);
  const last = blocked.reduce((seq, run) => Math.max(seq, run.entrySeq), 0);
  const isMoved = blocked.length > state.options.singlePurges * Math.max(1, countLargeBlockers(state, queue, last));
  if (isMoved && moveBlockers(state, queue, last, true) > 0) return;
  for (const run of blocked.slice(0, purgesAtOnce)) purgeEntry(state, queue, run.key, run.entrySeq);
}

function appendMark(state: SchedulerState): void {
  const { retention, now, position } = state;
  retention.phase = "marking";
  retention.askedAt = state.uptime;
  state.outgoing.push({
    kind: "retention",
    key: "",
    turn: 0,
    attempt: 0,
    origin: position,
    at: now,
    dueAt: retention.upTo,
    detail: undefined,
    inbox: "",
    inputSeq: 0,
  });
}

/** Asks for all that must happen before the outcomes up to S may go; returns how much is still to do. */
function settleOutcomes(state: SchedulerState): number {
  const { upTo } = state.retention;
  let open = 0;
  for (const [key, seq] of state.leftovers) {
    purgeEntry(state, state.queueOf(taskOf(key)), key, seq);
    open++;
  }
  for (const key of state.entangled) {
    const live = state.live.get(key);
    const finished = state.finished.get(key);
    if (live !== undefined) {
      const uncovered = live.trail?.uncovered ?? 0;
      if (uncovered === 0 || uncovered > upTo) continue;
      compactLive(state, live);
      open++;
    } else if (finished === undefined) state.entangled.delete(key);
    else if (settleFinished(state, finished)) open++;
  }
  if (open > 0) state.retention.askedAt = state.uptime;
  return open;
}

/** A finished run that outlives the mark although some of its outcomes go. */
function settleFinished(state: SchedulerState, run: FinishedRun): boolean {
  const { upTo } = state.retention;
  if (run.firstOutcome > upTo) return false;
  if (run.isCompacted || run.seq <= upTo) compactFinished(state, run);
  else if (run.entrySeq === 0) return false;
  else if (isEntryGarbage(run, state.retention)) purgeEntry(state, state.queueOf(run.task), run.key, run.entrySeq);
  else compactFinished(state, run);
  return true;
}
