// Erasing a run that has ended, in two steps: a stone in the log says that it was, then its entry goes. What outcomes say of it the engine takes
// out of them, with its own hands: see engine/eraser.ts.

import type { Fold } from "../fold/fold.ts";
import { compactFinished, compactLive, purgeEntry } from "./compaction.ts";
import type { House } from "./house.ts";

/** One step further, for each that has ended; of the others nothing is done. Safe to repeat. */
export function eraseRuns(house: House, keys: readonly string[]): void {
  for (const key of keys) {
    const run = house.fold.finished.get(key);
    if (run === undefined) continue;
    if (run.isErased === true) {
      if (run.entrySeq > 0) purgeEntry(house, house.fold.logOf(run.task), key, run.entrySeq);
      continue;
    }
    const { kind, origin, createdAt, attempt } = run;
    const was = kind === "failed" || kind === "cancelled" ? kind : "completed";
    house.step.outgoing.push({
      ...{ kind: "erased", key, origin, attempt, at: house.step.now, dueAt: 0, inbox: "", inputSeq: 0 },
      turn: Math.max(attempt, 1),
      detail: { createdAt, priority: 0, attempts: [], was },
    });
  }
}

/** Whether the fold of what is left needs nothing that an outcome up to `upTo` says of the turns of a run. */
export function isCovered({ live, finished }: Fold, key: string, upTo: number): boolean {
  const run = live.get(key);
  if (run !== undefined) return run.trail === undefined || run.trail.uncovered === 0 || run.trail.uncovered > upTo;
  const ended = finished.get(key);
  return ended === undefined || ended.entrySeq === 0 || ended.isCompacted;
}

/** Puts the state of runs into their entries, so that what outcomes up to `upTo` say of their turns may go. */
export function coverRuns(house: House, keys: readonly string[], upTo: number): void {
  for (const key of keys) {
    if (isCovered(house.fold, key, upTo)) continue;
    const run = house.fold.live.get(key);
    if (run !== undefined) compactLive(house, run, true);
    else compactFinished(house, house.fold.finished.get(key)!);
  }
}
