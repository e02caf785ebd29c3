import type { Fold } from "./fold.ts";

/** Moves on in the log. A sequence that is not there was purged or replaced; whether that was before it could be read is seen later. */
export function advancePosition(fold: Fold, seq: number): void {
  if (seq > fold.position + 1 && seq > fold.outcomesFrom) {
    fold.skippedFrom = Math.min(fold.skippedFrom, Math.max(fold.position + 1, fold.outcomesFrom));
  }
  fold.position = seq;
}

/** False if outcomes were purged where this engine skipped something: it may lack an outcome of a run that it knows, and has to fold anew. */
export function checkFloor(fold: Fold, outcomesFrom: number): boolean {
  if (fold.skippedFrom < outcomesFrom) return false;
  fold.outcomesFrom = outcomesFrom;
  fold.skippedFrom = Number.POSITIVE_INFINITY;
  return true;
}
