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
import type { LoggedTask } from "../fold/logged-task.ts";
import { isNeeded } from "./compacted-run.ts";
import { compactFinished, compactLive, purgeEntry } from "./compaction.ts";
import { countLargeBlockers, moveBlockers, purgeHead } from "./garbage.ts";
import type { House } from "./house.ts";

const purgesAtOnce = 1_000;

/** Takes the cycle one step further; false if there is none, or it waits for something that cannot be requested. */
export function forgetRuns(house: House): boolean {
  const { unanswered, retention, step } = house;
  const isClearing = retention.phase === "clearing";
  if (!isClearing && retention.phase !== "settling") return false;
  unanswered.askedAt = step.uptime;
  const open = isClearing ? clearForgotten(house) : settleOutcomes(house);
  if (open > 0) return isClearing || !unanswered.isEmpty;
  if (isClearing) appendMark(house);
  else purgeOutcomes(house);
  return true;
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
  const { fold, retention } = house;
  const garbage: FinishedRun[] = [];
  let open = 0;
  for (const run of finishedUpTo(house, retention.upTo)) {
    if (run.lastOutcome > retention.upTo || fold.pinned.has(run.key)) continue;
    const isWanted = isNeeded(house, run);
    if (!isWanted && (run.entrySeq === 0 || run.isCompacted)) continue;
    open++;
    if (!isWanted && retention.isGarbage(run)) garbage.push(run);
    else compactFinished(house, run);
  }
  const garbageOf = Map.groupBy(garbage, ({ task }) => task);
  for (const log of fold.tasks.values()) {
    const runs = garbageOf.get(log.name) ?? [];
    // An unanswered purge from the last time this engine led.
    const isUnsure = log.entries.isPurgeOpen;
    if (isUnsure) open++;
    if (runs.length > 0 || isUnsure) purgeHead(house, log);
    removeBlocked(house, log, runs);
  }
  return open;
}

/** Entries behind ones that must stay: a few are purged one by one; for many, the blocking ones are moved, unless that is much more work. */
function removeBlocked(house: House, log: LoggedTask, runs: readonly FinishedRun[]): void {
  const blocked = runs.filter((run) => run.entrySeq > 0);
  if (blocked.length === 0) return;
  const last = blocked.reduce((seq, run) => Math.max(seq, run.entrySeq), 0);
  const isMoved = blocked.length > house.options.singlePurges * Math.max(1, countLargeBlockers(house, log, last));
  if (isMoved && moveBlockers(house, log, last, true) > 0) return;
  for (const run of blocked.slice(0, purgesAtOnce)) purgeEntry(house, log, run.key, run.entrySeq);
}

function appendMark({ fold, retention, step }: House): void {
  retention.phase = "marking";
  step.addOutcome({ key: "", turn: 0, attempt: 0, origin: fold.position }, "retention", { dueAt: retention.upTo });
}

function purgeOutcomes({ retention, step }: House): void {
  retention.phase = "purging";
  step.commands.push({ type: "purge", filter: "outcomes", keepFrom: retention.upTo + 1 });
}

/** Requests everything that must happen before the outcomes up to S may go; returns how much is left to do. */
function settleOutcomes(house: House): number {
  const { fold, retention } = house;
  let open = fold.leftovers.size;
  // Their runs count as gone since that was asked for, and may have been forgotten with the mark.
  for (const log of fold.tasks.values()) {
    if (!log.entries.isPurgeOpen) continue;
    purgeHead(house, log);
    open++;
  }
  for (const [key, seq] of fold.leftovers) purgeEntry(house, fold.logOf(taskOf(key)), key, seq);
  for (const run of fold.entangledRuns) {
    if (run.uncovered > retention.upTo || fold.live.get(run.key) !== run) continue;
    compactLive(house, run, house.remains.size > 0); // what is erased waits for this
    open++;
  }
  for (const key of fold.entangled) {
    const finished = fold.finished.get(key);
    if (finished === undefined) fold.entangled.delete(key);
    else if (settleFinished(house, finished)) open++;
  }
  return open;
}

/** A finished run that outlives the mark although some of its outcomes go. */
function settleFinished(house: House, run: FinishedRun): boolean {
  const { fold, retention } = house;
  const { upTo } = retention;
  if (run.firstOutcome > upTo) return false;
  const isKeptByOutcome = !run.isCompacted && run.seq > upTo;
  if (isKeptByOutcome && run.entrySeq === 0) return false;
  if (isKeptByOutcome && retention.isGarbage(run)) purgeEntry(house, fold.logOf(run.task), run.key, run.entrySeq);
  else compactFinished(house, run);
  return true;
}
