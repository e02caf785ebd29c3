// Erasing a run that has ended, in two steps: a stone in the log says that it was, then its entry goes. What outcomes say of it the engine takes
// out of them, with its own hands: see engine/eraser.ts.
import { purgeEntry } from "./compaction.ts";
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
