// Ending a turn that no worker ends: the leader stores an outcome of its own.
import type { ErrorRecord } from "../domain/error-record.ts";
import { termsOf } from "../domain/policies.ts";
import { type AttemptRecord, isFinal, type OutcomeKind } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { Matching } from "./matching.ts";
import { setPlace } from "./task-queue.ts";

export interface Ending {
  readonly reason?: string | undefined;
  readonly error?: ErrorRecord;
  /** The worker that had the run, and since when. Always set if the outcome is not final. */
  readonly worker?: string;
  readonly startedAt?: number;
  /** The attempt took longer than its timeout; otherwise it was lost. */
  readonly isTimeout?: boolean;
  /** When a retry is due. Units: epoch milliseconds */
  readonly dueAt?: number;
}

/** Appends an outcome of this engine. The run is not dispatched until the log brings that outcome back. */
export function endRun({ step }: Matching, run: LiveRun, kind: OutcomeKind, ending: Ending): void {
  step.about = run;
  setPlace(run, "ending");
  const attempt = lastAttempt(run, kind, ending, step.now);
  if (isFinal(kind)) {
    const { inbox, isLarge: inputStays, seq } = run;
    step.addOutcome(run, kind, {
      detail: storyOf(run, attempt, ending),
      inbox,
      inputSeq: inputStays ? 0 : seq,
      inputStays,
    });
  } else step.addOutcome(run, kind, { detail: attempt && { attempt }, dueAt: ending.dueAt ?? 0 });
}

/** The record of the attempt that this ends; undefined if no worker had the run. */
function lastAttempt(run: LiveRun, kind: OutcomeKind, ending: Ending, now: number): AttemptRecord | undefined {
  const { worker, startedAt = now, error, isTimeout } = ending;
  if (worker === undefined) return undefined;
  const outcome = kind === "failed" && isTimeout !== true ? "lost" : kind;
  const { attempt, turn } = run;
  return { attempt, turn, worker, startedAt, endedAt: now, outcome, ...(error && { error }) };
}

function storyOf(run: LiveRun, last: AttemptRecord | undefined, { error, reason }: Ending): FinalDetail {
  const { createdAt, priority, metadata, history } = run;
  const terms = termsOf(run.placement, run.scheduleTimeoutMs);
  return {
    ...{ createdAt, priority, attempts: last === undefined ? history : [...history, last] },
    ...(metadata && { metadata }),
    ...(terms && { terms }),
    ...(error && { error }),
    ...(reason !== undefined && { reason }),
  };
}
