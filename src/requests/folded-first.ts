// A request is answered only when this engine has folded what its caller may know already.
import type { Leader } from "../leader/leader.ts";
import { atMost } from "../runtime/at-most.ts";

/** Before it answers that a key is unknown, it folds what is stored by now: the run may have been appended a moment ago. */
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

/** Folds what is stored by now: a run may have ended a moment ago, and a client may know it from the log. Does not wait for a slow store. */
export const refreshed = (leader: Leader): Promise<unknown> =>
  atMost(
    1_000,
    leader.progress.catchUp().catch(() => {}),
  );
