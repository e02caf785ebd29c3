/** The longest wait that a timer of the runtime holds, 24.8 days: a longer one would ring at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Calls back after any number of milliseconds, by a clock that nobody sets; returns the function that calls it off. */
export function afterMs(ms: number, act: () => void): () => void {
  const endsAt = performance.now() + ms;
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    const leftMs = endsAt - performance.now();
    timer = leftMs > longestTimerMs ? setTimeout(wait, longestTimerMs) : setTimeout(act, Math.max(0, leftMs));
  };
  wait();
  return () => clearTimeout(timer);
}
