// How finished runs are forgotten: by retention marks, so that every engine forgets the same ones at the same place of the log.
import { isFinal } from "../domain/run.ts";
import { removeFinished } from "./finish.ts";
import type { FinishedRun } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { FoldedOutcome } from "./log-events.ts";

/**
 * Folds a retention mark: every finished run is forgotten whose outcomes all stand at or below the sequence that the mark names (`dueAt`).
 *
 * The mark's writer has purged the entries of those runs up to `asOf` (`origin`) before. Entries after that are leftovers, which a leader purges
 * before the outcomes. Of a run without an entry, outcomes that are not final stay remembered until they are purged.
 */
export function foldRetentionMark(fold: Fold, mark: FoldedOutcome, writer: string): void {
  const upTo = mark.dueAt;
  for (const run of fold.finished.values()) {
    if (run.seq <= upTo) forget(fold, run, upTo, mark.origin);
    else if (!fold.unordered.has(run)) break;
  }
  for (const run of fold.unordered) forget(fold, run, upTo, mark.origin);
  // A writer makes a mark only when it has purged what its previous mark gave up.
  if (fold.lastMark?.writer === writer) dropPurged(fold, fold.lastMark.upTo);
  fold.lastMark = { writer, upTo, seq: fold.position };
  fold.listener?.marked(upTo, writer);
}

function forget(fold: Fold, run: FinishedRun, upTo: number, asOf: number): void {
  if (run.lastOutcome > upTo) return;
  const { key } = run;
  if (fold.pinned.size > 0 && fold.pinned.has(key)) return;
  fold.displaced.delete(key);
  if (run.entrySeq > 0 && (run.isCompacted || run.entrySeq > asOf)) fold.leftovers.set(key, run.entrySeq);
  removeFinished(fold, run);
  const rest = run.remembered?.filter((o) => !isFinal(o.outcome.kind));
  if (rest !== undefined && rest.length > 0) fold.unexplained.set(key, rest);
  fold.listener?.forgot?.(run);
}

function dropPurged(fold: Fold, upTo: number): void {
  for (const [key, remembered] of fold.unexplained) {
    const rest = remembered.filter((o) => o.seq > upTo);
    if (rest.length === 0) fold.unexplained.delete(key);
    else if (rest.length < remembered.length) fold.unexplained.set(key, rest);
  }
}
