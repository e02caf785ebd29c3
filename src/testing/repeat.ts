import type { Clock } from "./clock.ts";

/**
 * Calls back at each of a row of times, for example those of a cron: `nextAfter` says when the next one is, undefined that there is none.
 * Times that passed while nobody looked are not made up for. Returns the function that ends it.
 *
 * Units: epoch milliseconds
 */
export function repeat(
  clock: Clock,
  nextAfter: (timeMs: number) => number | undefined,
  act: (dueAt: number) => unknown,
): () => void {
  let callOff = () => {};
  const plan = (after: number) => {
    const dueAt = nextAfter(after);
    callOff =
      dueAt === undefined
        ? () => {}
        : clock.at(dueAt, () => {
            plan(Math.max(dueAt, clock.now())); // first: what it does may end the row
            return act(dueAt);
          });
  };
  plan(clock.now());
  return () => callOff();
}
