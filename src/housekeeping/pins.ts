// Pins: results of children that stay until their parent has taken them.
import { isNeeded } from "./compacted-run.ts";
import { compactFinished } from "./compaction.ts";
import type { House } from "./house.ts";

const compactionsAtOnce = 1_000;

/** Gives pinned children that nobody waits for any more the form of any other finished run, so that a later mark forgets them. */
export function unpin(house: House): void {
  const { unanswered, fold } = house;
  if (!house.isUnpinDue) return;
  house.isUnpinDue = false;
  for (const key of fold.pinned) {
    const run = fold.finished.get(key);
    if (run === undefined || isNeeded(house, run)) continue;
    house.isUnpinDue = true; // stays so until it is done: the store may refuse
    if (unanswered.compactions.size >= compactionsAtOnce) return;
    compactFinished(house, run);
  }
}
