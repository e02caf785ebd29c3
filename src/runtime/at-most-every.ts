/** The same function, which does nothing for a while after each time that it acted. Units: milliseconds */
export function atMostEvery<T>(pauseMs: number, act: (given: T) => void): (given: T) => void {
  let actedAt = Number.NEGATIVE_INFINITY;
  return (given) => {
    const now = performance.now();
    if (now - actedAt < pauseMs) return;
    actedAt = now;
    act(given);
  };
}
