// The index of finished runs: how a run gets into it, moves to its end, and leaves it.
import { isConclusive } from "../domain/run.ts";
import { isChild } from "./families.ts";
import { type FinishedRun, finishedBy, type RememberedOutcome, setEntry } from "./finished-run.ts";
import { dropSignals } from "./flow.ts";
import type { Fold } from "./fold.ts";
import type { LiveRun } from "./live-run.ts";

/** The first accepted final outcome ends a live run: from now on it is in the index. */
export function finishRun(fold: Fold, run: LiveRun, accepted: RememberedOutcome): void {
  const { key, log } = run;
  const { seq, byEngine, told, outcome } = accepted;
  fold.live.delete(key);
  log.liveCount--;
  if (fold.signals.size > 0) dropSignals(fold, key, seq);
  fold.inputs.release(run.keptInput);
  const displacedBy = fold.displaced.size === 0 ? undefined : fold.displaced.get(key);
  if (displacedBy !== undefined) fold.displaced.delete(key);
  const finished = finishedBy(accepted, key, log.name, run);
  finished.firstOutcome = Math.min(run.uncovered, seq);
  finished.staleFinal = run.trail?.staleFinal ?? 0;
  const entrySeq = displacedBy ?? run.seq;
  setEntry(log.entries, finished, entrySeq, false, finished.inputStays && entrySeq === run.seq);
  addFinished(fold, finished, true);
  if (run.uncovered < seq) fold.entangled.add(key);
  if (isChild(run)) fold.families.left(run);
  if (fold.listener === undefined) return;
  // The run's creator takes a conclusive outcome from the log itself, and asks if it has seen another one before; any other is sent to it.
  const isToldByLog = run.inbox === told && isConclusive(outcome.kind, byEngine);
  fold.listener.finished(run, finished, isToldByLog ? "" : run.inbox);
}

/** The index is in the order of outcomes. A run whose outcome is not the newest (a compacted entry tells of it) is listed in `unordered` as well. */
export function addFinished(fold: Fold, run: FinishedRun, wasKnown = false): void {
  fold.finished.set(run.key, run);
  if (isChild(run)) fold.families.ended(run);
  if (run.seq < fold.position) fold.unordered.add(run);
  if (!wasKnown) fold.listener?.learned(run);
}

/** The run is forgotten, or an entry says more about it than is known here. */
export function removeFinished(fold: Fold, run: FinishedRun): void {
  const { key } = run;
  setEntry(fold.logOf(run.task).entries, run, 0);
  fold.finished.delete(key);
  fold.unordered.delete(run);
  fold.entangled.delete(key);
  fold.pinned.delete(key);
  if (run.isErased) fold.remains.delete(key);
  if (isChild(run)) fold.families.forgotten(run);
}

/** The accepted outcome of this run is now the newest in the log, and older ones of it may be left. */
export function moveToEnd(fold: Fold, run: FinishedRun): void {
  fold.finished.delete(run.key);
  fold.unordered.delete(run);
  fold.finished.set(run.key, run);
  fold.entangled.add(run.key);
}
