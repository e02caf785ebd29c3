// Pins: results of children that stay until their parent has taken them.
import { isNeeded } from "./compacted-run.ts";
import { compactFinished } from "./compaction.ts";
import type { House } from "./house.ts";

const compactionsAtOnce = 1_000;

/** Pinned children that nobody waits for any more take the form of any finished run, and go with a later mark. */
export function unpin(house: House): void {
  const { unanswered, fold } = house;
  if (!house.isUnpinDue) return;
  house.isUnpinDue = false;
  for (const key of fold.pinned) {
    const run = fold.finished.get(key);
    if (run === undefined || isNeeded(house, run)) continue;
    house.isUnpinDue = true; // until it is: the store may refuse
    if (unanswered.compactions.size >= compactionsAtOnce) return;
    compactFinished(house, run);
  }
}
