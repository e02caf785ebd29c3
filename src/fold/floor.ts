import type { Fold } from "./fold.ts";

/** False if outcomes were purged where this engine skipped something: it may lack an outcome of a run that it knows, and must fold again. */
export function checkFloor(fold: Fold, outcomesFrom: number): boolean {
  if (fold.skippedFrom < outcomesFrom) return false;
  // Outcomes purged ahead of what is folded are missed later; a fold that has not begun misses none.
  fold.outcomesFrom = fold.position === 0 ? outcomesFrom : Math.min(outcomesFrom, fold.position + 1);
  fold.skippedFrom = Number.POSITIVE_INFINITY;
  return true;
}

/** The server was asked for the end of the log, and everything up to there is folded. `gaps`: how many had been skipped when it was asked. */
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
