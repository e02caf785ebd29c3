// The rules of the fold for run entries: the log alone decides which runs are live, and how finished ones ended.
import { originIn } from "../domain/origin.ts";
import { keyOf } from "../domain/run.ts";
import type { CompactedFinished, CompactedLive } from "../wire/run-extra.ts";
import { addCompactedFinished, addCompactedLive, coverFinished, holdsInputOf, pin } from "./compacted.ts";
import { createRun } from "./create.ts";
import type { Content } from "./entry-log.ts";
import { noteRemains } from "./erased.ts";
import { removeFinished } from "./finish.ts";
import { type FinishedRun, setEntry } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { Created, LiveRun } from "./live-run.ts";
import type { BundleEvent, EntryEvent } from "./log-events.ts";
import type { LoggedTask } from "./logged-task.ts";

/** Rules 1 and 4, for a run with an entry of its own. */
export function foldEntry(fold: Fold, { seq, at, task, id, entry }: EntryEvent): void {
  const key = keyOf(task, id);
  const log = addPosition(fold, task, seq, at, key, key);
  foldRun(fold, { key, log, seq, at, origin: seq, entry });
}

/** Rules 1 and 4, for each run of a bundle. */
export function foldBundle(fold: Fold, { seq, at, task, name, runs }: BundleEvent): void {
  const keys = runs.map(({ id }) => keyOf(task, id));
  const log = addPosition(fold, task, seq, at, name, { name, keys });
  const isNew = runs[0]?.entry.form === 0;
  const inputs = isNew ? fold.inputs.keepAll(runs.map(({ entry }) => entry.input)) : undefined;
  for (let i = 0; i < runs.length; i++)
    foldRun(fold, { key: keys[i]!, log, seq, at, origin: originIn(seq, i), entry: runs[i]!.entry, inputs });
}

function addPosition(fold: Fold, task: string, seq: number, at: number, name: string, content: Content): LoggedTask {
  fold.advance(seq, at);
  const log = fold.logOf(task);
  log.entries.push(seq, content);
  if (log.entries.size > log.entries.pruneAt) prunePositions(fold, log);
  fold.listener?.stored(name);
  return log;
}

/** Keeps the list of positions short on an engine that purges nothing itself: at most half of it may be stale. */
function prunePositions({ live, finished }: Fold, { entries, liveCount }: LoggedTask): void {
  entries.pruneAt = 2 * entries.size + 4_096;
  if (entries.size <= 2 * (liveCount + entries.garbage + entries.kept) + 4_096) return;
  entries.prune((seq, key) => live.get(key)?.seq === seq || finished.get(key)?.entrySeq === seq);
}

function foldRun(fold: Fold, created: Created): void {
  const { key, entry } = created;
  if (fold.leftovers.size > 0) fold.leftovers.delete(key);
  const live = fold.live.get(key);
  if (live !== undefined) {
    foldAgain(fold, live, created);
    return;
  }
  const state = entry.extra?.state;
  const finished = fold.finished.size === 0 ? undefined : fold.finished.get(key);
  // Where a finished run is known from its outcomes alone (`remembered`), a compacted entry says more and replaces it.
  if (
    finished !== undefined &&
    (state === undefined || finished.remembered === undefined || isOvertaken(finished, state))
  )
    foldFinished(fold, finished, created);
  else if (state === undefined) createRun(fold, created);
  else {
    const remembered = finished?.remembered ?? fold.unexplained.get(key) ?? [];
    if (finished !== undefined) removeFinished(fold, finished);
    fold.unexplained.delete(key);
    if (entry.form === 1) addCompactedLive(fold, created, state as CompactedLive, remembered);
    else addCompactedFinished(fold, created, state as CompactedFinished, remembered);
  }
}

/** An entry of a finished run: a duplicate, or the run's own entry at a new place. */
function foldFinished(fold: Fold, run: FinishedRun, { key, log, seq, entry }: Created): void {
  const state = entry.extra?.state;
  if (isOvertaken(run, state)) {
    setEntry(log.entries, run, seq);
    noteRemains(fold, run, seq);
    return;
  }
  if (state !== undefined) fold.displaced.delete(key);
  else if (run.isCompacted && run.entrySeq > 0) fold.displaced.set(key, seq);
  setEntry(log.entries, run, seq, entry.form === 2, holdsInputOf(run, entry));
  if (entry.form === 2) {
    coverFinished(run, state!.asOf);
    pin(fold, key, state as CompactedFinished);
  }
  if (state === undefined) fold.listener?.duplicated(run, entry.inbox);
}

/** Whether this is the entry of an erased run, moved by an engine that had not read the run's stone yet. */
const isOvertaken = (
  { origin, isErased }: FinishedRun,
  moved: CompactedLive | CompactedFinished | undefined,
): boolean => isErased && moved?.origin === origin && !("erased" in moved);

/** An engine has moved the entry of a live run. An entry with another origin was stored over it by somebody else: the first one stands (ADR 54). */
function foldAgain(fold: Fold, run: LiveRun, { key, seq, entry }: Created): void {
  const compacted = entry.extra?.state;
  if (compacted?.origin !== run.origin) {
    fold.displaced.set(key, seq);
    return;
  }
  if (fold.displaced.size > 0) fold.displaced.delete(key);
  if (fold.skippedFrom <= compacted.asOf && isNews(run, compacted)) fold.isTorn = true;
  run.seq = seq;
  run.coverOutcomes(compacted.asOf);
  fold.listener?.moved(run);
}

/** Whether a moved entry tells of outcomes that this engine has not read: they were moved away first, like those beside an erased run's. */
function isNews(run: LiveRun, known: CompactedLive | CompactedFinished): boolean {
  if ("seq" in known || known.turn > run.turn) return true;
  const isWish = known.cancelling !== undefined && run.trail?.cancelWish === undefined;
  return isWish || (known.turn === run.turn && (known.attempt !== run.attempt || known.lost !== run.lost));
}
