import type { FinishedRun } from "../fold/finished-run.ts";

/** Signals to a run up to there, which are no longer needed. */
export interface SpentSignal {
  readonly key: string;
  /** Undefined: all names. */
  readonly name: string | undefined;
  readonly upTo: number;
}

/** Of which run. */
export interface OldJournal {
  readonly key: string;
  readonly origin: number;
}

/** Where the leader is in forgetting finished runs; see retention.ts. Times are on the scheduler's own clock. */
export class Retention {
  phase: "idle" | "clearing" | "marking" | "settling" | "purging" = "idle";
  /** Outcomes up to here are being given up. */
  upTo = 0;
  /** Outcomes up to here are known to be purged. */
  purgedTo = 0;
  /** Compactions in flight: key → expected sequence. */
  readonly compacting = new Map<string, number>();
  /** Purges of single keys in flight: key → `keepFrom`. */
  readonly purgingKeys = new Map<string, number>();
  readonly leadingSince: number;
  nextLookAt = 0;
  nextSweepAt = 0;
  /** When something was last requested; after a long silence it is requested again. */
  askedAt = 0;

  constructor(leadingSince: number) {
    this.leadingSince = leadingSince;
  }

  /** Whether keys with this last outcome are about to be forgotten: nobody will ask for their inputs any more. */
  isForgetting(lastOutcome: number): boolean {
    return this.phase === "clearing" && lastOutcome <= this.upTo;
  }

  enter(phase: Retention["phase"], askedAt: number, upTo: number = this.upTo): void {
    Object.assign(this, { phase, askedAt, upTo });
  }

  /** Forgets unanswered requests and starts again from what the log says. `purgedTo` stays true. */
  stop(): void {
    this.phase = "idle";
    this.compacting.clear();
    this.purgingKeys.clear();
  }
}

/** Rule 5: without this entry the remaining outcomes say the same, and nobody will ask for an input that only it has. */
export const isEntryGarbage = (run: FinishedRun, retention: Retention): boolean =>
  !run.isCompacted &&
  run.seq > retention.purgedTo &&
  run.staleFinal <= retention.purgedTo &&
  (!run.holdsInput || retention.isForgetting(run.lastOutcome));
