// Folding much of the log leaves twice as much memory behind as the runs need, and Bun keeps it until it is short of it. So it is given
// back in the first quiet moment after that.
import { releaseMemory } from "./memory.ts";

/** Entries, or runs, of which many may have come in one entry, whose remains are worth a collection. */
const worthFolded = 200_000;

/** `folded` grows with what is folded. Returns what has to be called every few seconds. */
export function releasingInQuietMoments(folded: () => number): () => void {
  let releasedAt = 0;
  let before = 0;
  return () => {
    const now = folded();
    const isQuiet = now === before;
    before = now;
    if (!isQuiet || now - releasedAt < worthFolded) return;
    releasedAt = now;
    releaseMemory();
  };
}
