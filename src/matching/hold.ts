import type { Matching } from "./matching.ts";

/** A worker has said what it executes, or is gone. */
export function answered(state: Matching, id: string): void {
  const { hold } = state;
  if (hold === undefined) return;
  hold.awaited.delete(id);
  if (hold.awaited.size === 0) state.hold = undefined;
}

/** Whether runs may be dispatched in spite of workers that have not answered: at worst one is executed twice. */
export const isHolding = ({ hold, step }: Matching): boolean => hold !== undefined && step.uptime < hold.until;
