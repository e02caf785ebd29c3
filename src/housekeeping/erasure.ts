// Erases a finished run in two steps: a stone in the log says that it existed, then its entry goes. The engine removes its outcomes
// from their entries: see requests/eraser.ts.

import type { Fold } from "../fold/fold.ts";
import { compactFinished, compactLive, purgeEntry } from "./compaction.ts";
import type { House } from "./house.ts";

/** Takes each finished run one step further and ignores the others. Safe to repeat. */
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

/** Whether the fold of the rest needs nothing that an outcome up to `upTo` says about a run's turns. */
export function isCovered({ live, finished }: Fold, key: string, upTo: number): boolean {
  const run = live.get(key);
  if (run !== undefined) return run.uncovered > upTo;
  const ended = finished.get(key);
  return ended === undefined || ended.entrySeq === 0 || ended.isCompacted;
}

/** Puts the state of runs into their entries, so that outcomes up to `upTo` are not needed for their turns. */
export function coverRuns(house: House, keys: readonly string[], upTo: number): void {
  for (const key of keys) {
    if (isCovered(house.fold, key, upTo)) continue;
    const run = house.fold.live.get(key);
    if (run !== undefined) compactLive(house, run, true);
    else compactFinished(house, house.fold.finished.get(key)!);
  }
}
