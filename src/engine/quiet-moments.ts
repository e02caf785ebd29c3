// Folding much of the log leaves twice as much memory behind as the runs need, and Bun keeps it until it is short of it. So it is given
// back in the first quiet moment after that.
import { releaseMemory } from "../runtime/memory.ts";

const everyMs = 5_000;
/** Entries whose remains are worth a collection. */
const worthEntries = 200_000;

/** `position` is how far the log is folded. Returns the function that ends it. */
export function releaseInQuietMoments(position: () => number): () => void {
  let releasedAt = 0;
  let before = 0;
  const timer = setInterval(() => {
    const now = position();
    const isQuiet = now === before;
    before = now;
    if (!isQuiet || now - releasedAt < worthEntries) return;
    releasedAt = now;
    releaseMemory();
  }, everyMs);
  return () => clearInterval(timer);
}
