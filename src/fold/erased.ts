// Erased runs, and outcomes that were moved because they shared an entry with an erased run's. What is left of an erased run is its stone, an
// outcome stored by an engine: whoever folds the stone knows that the run existed and how it ended, whatever else of it is still in the log.
import { taskOf } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import { addFinished, moveToEnd, removeFinished } from "./finish.ts";
import { type FinishedRun, finishedBy, type RememberedOutcome, setEntry } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { FoldedOutcome } from "./log-events.ts";

/** Folds the stone of a run that is not live. A later run with the same id stays as it is; hearsay about an earlier one gives way to the stone. */
export function foldStone(fold: Fold, stone: RememberedOutcome): void {
  const { outcome, seq, at } = stone;
  const { key, origin } = outcome;
  const known = fold.finished.get(key);
  if (known !== undefined && known.origin !== origin && !isHearsay(known, origin)) return;
  const before = known === undefined ? (fold.unexplained.get(key) ?? []) : known.remembered;
  const { createdAt = at } = (outcome.detail ?? {}) as Partial<FinalDetail>;
  const run = finishedBy(stone, key, taskOf(key), { createdAt, attempt: outcome.turn, metadata: undefined });
  run.firstOutcome = Math.min(known?.firstOutcome ?? seq, before?.[0]?.seq ?? seq);
  run.staleFinal = known?.staleFinal ?? 0;
  if (before !== undefined) run.remembered = [...before, stone];
  fold.unexplained.delete(key);
  put(fold, run, known);
  noteRemains(fold, run, seq);
}

/** An entry at `seq` says something of an erased run: it is the run's stone, or has to be removed as well. */
export function noteRemains(fold: Fold, run: FinishedRun, seq: number): void {
  fold.remains.set(run.key, seq);
  fold.listener?.remained?.(run);
}

/** Whether all that is known are late outcomes of an earlier run with the same id: the entry of the erased one has gone since. */
const isHearsay = (known: FinishedRun, origin: number): boolean =>
  known.remembered !== undefined && known.origin < origin;

/**
 * Puts the stone in place of what was known. It takes over an entry that is left, so that this goes before the outcomes do; a duplicate's too, if
 * the run was forgotten while its stone was on its way.
 */
function put(fold: Fold, stone: FinishedRun, known: FinishedRun | undefined): void {
  const { key, task } = stone;
  const entrySeq = known?.entrySeq || fold.leftovers.get(key) || 0;
  if (known !== undefined) removeFinished(fold, known); // it may have ended in another way, and have been pinned
  addFinished(fold, stone, known !== undefined);
  setEntry(fold.logOf(task).entries, stone, entrySeq, known?.isCompacted);
  fold.entangled.add(key);
}

/** The accepted outcome of a run has moved to `seq`, and so is the newest of all. Returns false if it was not the accepted one that moved. */
export function moveOutcome(
  fold: Fold,
  outcome: FoldedOutcome,
  places: readonly number[],
  seq: number,
  index: number,
): boolean {
  const { key, kind, origin } = outcome;
  const run = fold.finished.get(key);
  if (run === undefined || !places.includes(run.seq) || run.origin !== origin || run.kind !== kind) return false;
  const { remembered } = run;
  const before = remembered?.findIndex((o) => o.seq === run.seq && o.outcome.kind === kind) ?? -1;
  // An entry in finished form that is stored later may still name the old place.
  if (before >= 0) remembered!.push({ ...remembered!.splice(before, 1)[0]!, seq, index, places });
  run.seq = seq;
  run.index = index;
  run.firstOutcome = Math.min(run.firstOutcome, seq); // an entry in finished form names the old place
  run.lastOutcome = Math.max(run.lastOutcome, seq);
  moveToEnd(fold, run);
  return true;
}
