// Whose clock counts: that of the server that stored an entry. The times of a client or worker are only the base of a span.
import { latestTime } from "../domain/time.ts";
import type { RememberedOutcome } from "./finished-run.ts";
import type { FoldedEntry } from "./log-events.ts";

/** When a new run stored `at` is due; a compacted entry already holds the server's times. Units: epoch milliseconds, 0 = at once */
export function dueAtOf({ createdAt, dueAt, isDated }: FoldedEntry, at: number): number {
  if (isDated === true) return dueAt > at ? Math.min(dueAt, latestTime) : 0;
  return dueAt > createdAt ? Math.min(at + (dueAt - createdAt), latestTime) : 0;
}

/** When a run is due again after this outcome, never before that was stored. Only an engine's `returned` names a point in time. Units: epoch milliseconds */
export function dueAgainAt({ outcome, at, byEngine }: RememberedOutcome): number {
  const { kind, dueAt } = outcome;
  if (byEngine && kind === "returned") return Math.min(Math.max(dueAt, at), latestTime);
  return dueAt > Math.max(outcome.at, 0) ? Math.min(at + (dueAt - outcome.at), latestTime) : at;
}
