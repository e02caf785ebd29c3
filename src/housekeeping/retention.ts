// The state of retention: which outcomes are being given up, and how far that has come.
import type { FinishedRun } from "../fold/finished-run.ts";

/** Where the leader is in forgetting finished runs; see forgetting.ts. */
export class Retention {
  phase: "idle" | "clearing" | "marking" | "settling" | "purging" = "idle";
  /** Outcomes up to this sequence are being given up. */
  upTo = 0;
  /** Outcomes up to this sequence are known to be purged. */
  purgedTo = 0;

  /** Whether runs with this last outcome are about to be forgotten: then nobody will ask for their inputs any more. */
  isForgetting(lastOutcome: number): boolean {
    return this.phase === "clearing" && lastOutcome <= this.upTo;
  }
  /** Whether the entry of a run may be purged (rule 5): without it the outcomes that are left say the same, and nobody will ask for an input that only it has. */
  isGarbage(run: FinishedRun): boolean {
    if (run.isCompacted || run.seq <= this.purgedTo || run.staleFinal > this.purgedTo) return false;
    return !run.holdsInput || this.isForgetting(run.lastOutcome);
  }
}
