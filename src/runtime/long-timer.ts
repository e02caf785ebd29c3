/** The longest wait that a runtime timer supports, 24.8 days: a longer one would fire at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** Calls back after any number of milliseconds, by the monotonic clock; returns the function that cancels it. */
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
