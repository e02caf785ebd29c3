import type { FinishedRun } from "../fold/finished-run.ts";

/** Signals to a run up to there, which are of no use any more. */
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
  /** Outcomes up to here are known to be gone from the stream. */
  purgedTo = 0;
  /** Compactions on their way: key → the sequence that they expect. */
  readonly compacting = new Map<string, number>();
  /** Purges of single keys on their way: key → `keepFrom`. */
  readonly purgingKeys = new Map<string, number>();
  readonly leadingSince: number;
  nextLookAt = 0;
  nextSweepAt = 0;
  /** When something was last asked for; what is not answered for long is asked for again. */
  askedAt = 0;

  constructor(leadingSince: number) {
    this.leadingSince = leadingSince;
  }

  /** Whether keys with this last outcome are about to be forgotten: nobody will ask for their inputs any more. */
  isForgetting(lastOutcome: number): boolean {
    return this.phase === "clearing" && lastOutcome <= this.upTo;
  }

  /** Forgets what is on its way, of which no answer came, and begins anew from what the log says. `purgedTo` stays true. */
  stop(): void {
    this.phase = "idle";
    this.compacting.clear();
    this.purgingKeys.clear();
  }
}

/** Rule 5: without this entry the outcomes left in the stream say the same, and nobody will ask for an input that only it holds. */
export const isEntryGarbage = (run: FinishedRun, retention: Retention): boolean =>
  !run.isCompacted &&
  run.seq > retention.purgedTo &&
  run.staleFinal <= retention.purgedTo &&
  (!run.holdsInput || retention.isForgetting(run.lastOutcome));
