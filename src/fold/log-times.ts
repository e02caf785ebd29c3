// Whose clock counts: that of the server which stored an entry. What a client or a worker says by its own clock is only the base of a span.
import { latestTime } from "../domain/time.ts";
import type { RememberedOutcome } from "./finished-run.ts";
import type { FoldedEntry } from "./log-events.ts";

/** When a new run is due that was stored `at`; a compacted entry holds the server's times already. Units: epoch milliseconds, 0 = at once */
export function dueAtOf({ createdAt, dueAt, isDated }: FoldedEntry, at: number): number {
  if (isDated === true) return dueAt > at ? Math.min(dueAt, latestTime) : 0;
  return dueAt > createdAt ? Math.min(at + (dueAt - createdAt), latestTime) : 0;
}

/** When a run is due again that an outcome gave back, not before that was stored. Only an engine's `returned` names a time of the calendar. Units: epoch milliseconds */
export function dueAgainAt({ outcome, at, byEngine }: RememberedOutcome): number {
  const { kind, dueAt } = outcome;
  if (byEngine && kind === "returned") return Math.min(Math.max(dueAt, at), latestTime);
  return dueAt > Math.max(outcome.at, 0) ? Math.min(at + (dueAt - outcome.at), latestTime) : at;
}
