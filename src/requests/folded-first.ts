// What a caller has been told must be folded before it is answered.
import type { Leader } from "../leader/leader.ts";
import { atMost } from "../runtime/at-most.ts";

/** An unknown key may have been appended a moment ago: folds what is stored by now before saying so. */
export async function foldedFirst<T>(
  leader: Leader,
  keys: readonly string[],
  answer: () => T | Promise<T>,
): Promise<T> {
  const { live, finished } = leader.state;
  if (keys.some((key) => !live.has(key) && !finished.has(key))) await leader.progress.catchUp();
  else if (keys.some((key) => live.has(key))) await refreshed(leader);
  return answer();
}

/** A run may have ended a moment ago, and the log may have told a client already. Does not wait for a slow store. */
export const refreshed = (leader: Leader): Promise<unknown> =>
  atMost(
    1_000,
    leader.progress.catchUp().catch(() => {}),
  );
