/** The same function, one call at a time. Callers share a round, but only one that has not begun: an earlier one may miss what they know of. */
export function inRounds<T>(act: () => Promise<T>): () => Promise<T> {
  let round: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    next ??= round.then(() => {
      next = undefined;
      const begun = act();
      round = begun.catch(() => {});
      return begun;
    });
    return next;
  };
}
