// The floor of the log: where outcomes begin, and whether this engine has missed any of those that were purged below.
import type { Fold } from "./fold.ts";

/**
 * Notes where outcomes begin. Returns false if outcomes were purged where this engine has skipped something: it may lack one of a run that it knows,
 * and must read the log again.
 */
export function noteFloor(fold: Fold, outcomesFrom: number): boolean {
  if (fold.skippedFrom < outcomesFrom) return false;
  // What was purged ahead of the position is missed only when the fold gets there; a fold that has not begun misses nothing.
  fold.outcomesFrom = fold.position === 0 ? outcomesFrom : Math.min(outcomesFrom, fold.position + 1);
  fold.skippedFrom = Number.POSITIVE_INFINITY;
  return true;
}

/** The server was asked where the log ends, and everything up to there is folded. `gaps`: the fold's number of gaps when it was asked. */
export interface HeardEvent {
  readonly type: "heard";
  /** When the server answered, on its clock. */
  readonly at: number;
  readonly gaps: number;
}

export function reachEnd(fold: Fold, { at, gaps }: HeardEvent): void {
  fold.heardAt = Math.max(fold.heardAt, at);
  if (gaps === fold.gaps) fold.gapsWhenWhole = gaps;
}
