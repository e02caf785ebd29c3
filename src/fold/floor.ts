import type { SchedulerState } from "../matching/state.ts";

/** Moves on in the log. A sequence that is not there was purged or replaced; whether that was before it could be read is seen later. */
export function advancePosition(state: SchedulerState, seq: number): void {
  if (seq > state.position + 1 && seq > state.outcomesFrom) {
    state.skippedFrom = Math.min(state.skippedFrom, Math.max(state.position + 1, state.outcomesFrom));
  }
  state.position = seq;
}

/** Outcomes were purged where this engine skipped something: it may lack an outcome of a run that it knows. */
export function checkFloor(state: SchedulerState, outcomesFrom: number): void {
  if (state.skippedFrom < outcomesFrom) state.commands.push({ type: "rebuild", outcomesFrom });
  else {
    state.outcomesFrom = outcomesFrom;
    state.skippedFrom = Number.POSITIVE_INFINITY;
  }
}
