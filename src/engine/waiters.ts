import type { FinishedRun } from "../fold/finished-run.ts";
import type { SchedulerState } from "../matching/state.ts";

/** Somebody asks for a result: remembered while the run lives, answered at once when it is known. */
export function addWaiter(state: SchedulerState, key: string, inbox: string): void {
  const finished = state.finished.get(key);
  if (finished !== undefined) forward(state, finished, inbox);
  else if (!state.live.has(key)) state.commands.push({ type: "unknown", inbox, key });
  else {
    const inboxes = state.waiters.get(key);
    if (inboxes === undefined) state.waiters.set(key, new Set([inbox]));
    else inboxes.add(inbox);
  }
}

/** Answers the creator and all who asked. Only the leader does, once it has folded the outcome, that is once it is stored. */
export function forwardResult(state: SchedulerState, run: FinishedRun, inbox: string): void {
  if (!state.isLeading) return;
  if (inbox !== "") forward(state, run, inbox);
  if (state.waiters.size === 0) return;
  const inboxes = state.waiters.get(run.key);
  if (inboxes === undefined) return;
  state.waiters.delete(run.key);
  for (const other of inboxes) if (other !== inbox) forward(state, run, other);
}

/** A second create of a finished run gets the first one's outcome (rule 1). */
export function forwardDuplicate(state: SchedulerState, run: FinishedRun, inbox: string): void {
  if (state.isLeading && inbox !== "") forward(state, run, inbox);
}

function forward(state: SchedulerState, run: FinishedRun, inbox: string): void {
  state.commands.push({ type: "forward", inbox, key: run.key, seq: run.seq, index: run.index });
}
