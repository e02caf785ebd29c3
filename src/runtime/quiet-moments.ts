// Folding much of the log leaves twice as much memory behind as the runs need, and Bun keeps it until it is short of it. So it is given
// back in the first quiet moment after that.
import { releaseMemory } from "./memory.ts";

/** Entries whose remains are worth a collection. */
const worthEntries = 200_000;

/** `position` is how far the log is folded. Returns what has to be called every few seconds. */
export function releasingInQuietMoments(position: () => number): () => void {
  let releasedAt = 0;
  let before = 0;
  return () => {
    const now = position();
    const isQuiet = now === before;
    before = now;
    if (!isQuiet || now - releasedAt < worthEntries) return;
    releasedAt = now;
    releaseMemory();
  };
}
