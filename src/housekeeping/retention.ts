/**
 * Forgetting finished runs, so that the fold of what is left stays the fold of the whole log:
 *
 * 1. clearing: the run entries of all keys to forget are purged, or put into finished form if only they say how it ended;
 * 2. marking: a retention mark is appended; every engine forgets the same keys when it folds it;
 * 3. settling: entries that arrived in between go, and whatever else needs the old outcomes is compacted after them;
 * 4. purging: the outcomes up to S go.
 *
 * Entries go before outcomes, so that a crash at any point leaves no entry without its outcome.
 */

import { taskOf } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import { setEntry } from "../fold/finished-run.ts";
import { dropUnclaimed } from "../fold/flow.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import type { PurgeFilter } from "../matching/commands.ts";
import { compactFinished, compactLive, isNeeded, purgeEntry } from "./compaction.ts";
import { collectGarbage, countLargeBlockers, moveBlockers, purgeHead } from "./garbage.ts";
import type { House } from "./house.ts";
import { purgeJournals } from "./journals.ts";
import { isEntryGarbage } from "./retention-state.ts";
import { purgeSignals } from "./spent-signals.ts";

const lookEveryMs = 50;
const askAgainAfterMs = 30_000;
const remainsWaitMs = 300_000;
const purgesAtOnce = 1_000;
const compactionsAtOnce = 1_000;

/** Takes the next step, if this engine leads and has no open request. */
export function keepHouse(house: House): void {
  const { retention } = house;
  const { uptime } = house.step;
  if (uptime < retention.nextLookAt) return;
  retention.nextLookAt = uptime + lookEveryMs;
  if (uptime - retention.leadingSince < house.options.housekeepingDelayMs) return;
  // An unknown key may have been moved before it was read.
  if (!house.fold.isWhole) return;
  if (house.spentSignals.size > 0) purgeSignals(house);
  if (house.fold.pinned.size > 0) unpin(house);
  purgeJournals(house);
  if (retention.phase !== "idle" && uptime - retention.askedAt > askAgainAfterMs) startAgain(house);
  if (retention.phase === "idle") chooseMark(house);
  else if (isAnswerOpen(house)) return;
  // Garbage is collected while a cycle waits, but after the cycle's turn: a busy engine always has some.
  if (!advanceCycle(house)) collectGarbage(house);
}

/** Takes the cycle one step further; false if there is none, or it waits for something that cannot be requested. */
function advanceCycle(house: House): boolean {
  const { retention } = house;
  if (retention.phase === "clearing") {
    if (clearForgotten(house) === 0) appendMark(house);
    return true;
  }
  if (retention.phase !== "settling") return false;
  if (settleOutcomes(house) > 0) return isAnswerOpen(house);
  retention.enter("purging", house.step.uptime);
  house.step.commands.push({ type: "purge", filter: "outcomes", keepFrom: retention.upTo + 1 });
  return true;
}

/** The retention mark that `writer` appended is folded. */
export function marked(house: House, upTo: number): void {
  const { retention } = house;
  if (retention.phase === "marking" && retention.upTo === upTo) retention.phase = "settling";
}

/** The engine has purged what it was asked to. */
export function purged(house: House, filter: PurgeFilter, keepFrom: number): void {
  const { retention } = house;
  if (filter === "outcomes") {
    retention.purgedTo = Math.max(retention.purgedTo, keepFrom - 1);
    if (retention.phase === "purging" && keepFrom > retention.upTo) retention.phase = "idle";
  } else if ("task" in filter) {
    const log = house.fold.logOf(filter.task);
    const { entries } = log;
    house.purging.delete(log);
    entries.purgedTo = Math.max(entries.purgedTo, keepFrom);
  } else if ("signalsOf" in filter) dropUnclaimed(house.fold, filter.signalsOf, keepFrom);
  else if ("key" in filter) dropPurged(house, taskOf(filter.key), filter.key, [filter.key], keepFrom);
  else {
    const { keys } = house.fold.logOf(filter.of).entries.bundleAt(keepFrom - 1) ?? { keys: [] };
    dropPurged(house, filter.of, filter.bundle, keys, keepFrom);
  }
}

function dropPurged(house: House, task: string, name: string, keys: readonly string[], keepFrom: number): void {
  house.retention.purgingKeys.delete(name);
  for (const key of keys) {
    const finished = house.fold.finished.get(key);
    if (finished !== undefined && finished.entrySeq < keepFrom) setEntry(house.fold.logOf(task).entries, finished, 0);
    if ((house.fold.leftovers.get(key) ?? keepFrom) < keepFrom) house.fold.leftovers.delete(key);
  }
}

function isAnswerOpen(house: House): boolean {
  const { compacting, purgingKeys } = house.retention;
  return compacting.size > 0 || purgingKeys.size > 0 || house.purging.size > 0;
}

function startAgain(house: House): void {
  house.retention.stop();
  house.purging.clear();
  house.retention.askedAt = house.step.uptime;
}

/** Decides what to forget, in batches, since each costs a scan of the index. */
function chooseMark(house: House): void {
  const { retention, options } = house;
  const { finished, lastMark, outcomesFrom } = house.fold;
  const { now, uptime } = house.step;
  // Its writer may have gone before it had purged what the mark gave up, and nothing may ever be marked again.
  if (lastMark !== undefined && Math.max(outcomesFrom, retention.purgedTo + 1) <= lastMark.upTo) {
    retention.enter("settling", uptime, lastMark.upTo);
    return;
  }
  const excess = finished.size - house.fold.pinned.size - options.keepCount;
  const takeCount = excess >= Math.max(1, options.keepCount * 0.02) ? excess : 0;
  // What is said late of an erased run goes before its stone does, unless that fails for long.
  if (house.remains.size > 0 && house.step.uptime - house.remainsSince < remainsWaitMs) return;
  const oldest = firstUnpinned(house);
  const takeOld = oldest !== undefined && now - oldest.at > options.keepMs * 1.02;
  if (takeCount === 0 && !takeOld) return;
  const upTo = markFor(house, takeCount, takeOld);
  if (upTo === 0 || !house.mayForget(upTo)) return;
  retention.enter("clearing", uptime, upTo);
}

/** Pinned ones are few, or their parents wait for them. */
function firstUnpinned({ fold: { finished, pinned } }: House): FinishedRun | undefined {
  for (const run of finished.values()) if (pinned.size === 0 || !pinned.has(run.key)) return run;
  return undefined;
}

/** Unwanted ones take the form of any finished run, and go with a later mark. */
function unpin(house: House): void {
  const { fold, retention } = house;
  if (!house.isUnpinDue) return;
  house.isUnpinDue = false;
  for (const key of fold.pinned) {
    const run = fold.finished.get(key);
    if (run === undefined || isNeeded(house, run)) continue;
    house.isUnpinDue = true; // until it is: the store may refuse
    if (retention.compacting.size >= compactionsAtOnce) return;
    compactFinished(house, run);
  }
}

/** The lowest S that forgets this many, or all that are too old; late outcomes of zombies may let a key outlive its neighbours. */
function markFor(house: House, takeCount: number, takeOld: boolean): number {
  let upTo = 0;
  let taken = 0;
  let later: number[] = [];
  for (const run of house.fold.finished.values()) {
    if (taken >= takeCount && !(takeOld && house.step.now - run.at > house.options.keepMs)) break;
    if (house.fold.pinned.has(run.key)) continue;
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

/** Runs whose accepted outcome is at or below a sequence, and those that are not in order. */
function* finishedUpTo({ fold: { finished, unordered } }: House, upTo: number): Iterable<FinishedRun> {
  yield* unordered;
  for (const run of finished.values()) {
    if (unordered.has(run)) continue;
    if (run.seq > upTo) return;
    yield run;
  }
}

/** Asks for the removal of the entries of all keys that the mark will forget; returns how many were still there. */
function clearForgotten(house: House): number {
  const { upTo } = house.retention;
  const garbage = new Map<LoggedTask, FinishedRun[]>();
  let open = 0;
  for (const run of finishedUpTo(house, upTo)) {
    if (run.lastOutcome > upTo || house.fold.pinned.has(run.key)) continue;
    if (isNeeded(house, run)) {
      compactFinished(house, run);
      open++;
      continue;
    }
    if (run.entrySeq === 0 || run.isCompacted) continue;
    open++;
    if (!isEntryGarbage(run, house.retention)) compactFinished(house, run);
    else {
      const log = house.fold.logOf(run.task);
      const others = garbage.get(log);
      if (others === undefined) garbage.set(log, [run]);
      else others.push(run);
    }
  }
  for (const log of house.fold.tasks.values()) {
    const runs = garbage.get(log);
    // An unanswered purge from the last time this engine led.
    const isUnsure = log.entries.clearTo > log.entries.purgedTo;
    if (runs !== undefined || isUnsure) purgeHead(house, log);
    if (runs !== undefined) removeBlocked(house, log, runs);
    if (isUnsure) open++;
  }
  if (open > 0) house.retention.askedAt = house.step.uptime;
  return open;
}

/** Entries behind ones that must stay: a few are purged one by one; for many, the blocking ones are moved, unless that is much more work. */
function removeBlocked(house: House, log: LoggedTask, runs: readonly FinishedRun[]): void {
  const blocked = runs.filter((run) => run.entrySeq > 0);
  const last = blocked.reduce((seq, run) => Math.max(seq, run.entrySeq), 0);
  const isMoved = blocked.length > house.options.singlePurges * Math.max(1, countLargeBlockers(house, log, last));
  if (isMoved && moveBlockers(house, log, last, true) > 0) return;
  for (const run of blocked.slice(0, purgesAtOnce)) purgeEntry(house, log, run.key, run.entrySeq);
}

function appendMark(house: House): void {
  const { retention } = house;
  retention.enter("marking", house.step.uptime);
  const mark = { key: "", turn: 0, attempt: 0, origin: house.fold.position };
  house.step.addOutcome(mark, "retention", { dueAt: retention.upTo });
}

/** Requests everything that must happen before the outcomes up to S may go; returns how much is left to do. */
function settleOutcomes(house: House): number {
  const { upTo } = house.retention;
  let open = 0;
  // Their runs count as gone since that was asked for, and may have been forgotten with the mark.
  for (const log of house.fold.tasks.values()) {
    if (log.entries.clearTo <= log.entries.purgedTo) continue;
    purgeHead(house, log);
    open++;
  }
  for (const [key, seq] of house.fold.leftovers) {
    purgeEntry(house, house.fold.logOf(taskOf(key)), key, seq);
    open++;
  }
  for (const run of house.fold.entangledRuns) {
    if (run.uncovered > upTo || house.fold.live.get(run.key) !== run) continue;
    compactLive(house, run);
    open++;
  }
  for (const key of house.fold.entangled) {
    const finished = house.fold.finished.get(key);
    if (finished === undefined) house.fold.entangled.delete(key);
    else if (settleFinished(house, finished)) open++;
  }
  if (open > 0) house.retention.askedAt = house.step.uptime;
  return open;
}

/** A finished run that outlives the mark although some of its outcomes go. */
function settleFinished(house: House, run: FinishedRun): boolean {
  const { upTo } = house.retention;
  if (run.firstOutcome > upTo) return false;
  if (run.isCompacted || run.seq <= upTo) compactFinished(house, run);
  else if (run.entrySeq === 0) return false;
  else if (isEntryGarbage(run, house.retention)) purgeEntry(house, house.fold.logOf(run.task), run.key, run.entrySeq);
  else compactFinished(house, run);
  return true;
}
