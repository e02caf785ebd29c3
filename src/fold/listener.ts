// A listener of the fold: a leader, or a projection.
import type { FinishedRun } from "./finished-run.ts";
import type { LiveRun } from "./live-run.ts";
import type { FoldedOutcome } from "./log-events.ts";

/**
 * Is told what a log entry has changed, while it is folded. Calls are direct and in log order; the fold has changed before
 * each of them, except for `reported`.
 */
export interface FoldListener {
  /** A run entry, or a bundle, of this name is at the tail of the log. Called before the calls for its runs. */
  stored(name: string): void;
  /** The run is now live: it is new, or a compacted entry has brought it back. */
  created(run: LiveRun): void;
  /** The entry of a live run was moved. */
  moved(run: LiveRun): void;
  /** A finished run was created again by somebody who waits at `inbox`; empty = nowhere. */
  duplicated(run: FinishedRun, inbox: string): void;
  /** A worker's report is about to be folded; `reported` follows for each outcome of the entry. */
  reporting(writer: string): void;
  /** A worker's outcome is about to be folded, whether it counts or not. */
  reported(outcome: FoldedOutcome): void;
  /** An outcome by `writer` has ended a turn of the run, which is now on its next one. */
  turned(run: LiveRun, writer: string): void;
  /** The log says for the first time that the run should be cancelled. */
  wished(run: LiveRun): void;
  /** A signal has arrived under the key of a run; undefined if none is live. */
  signalled(key: string, run: LiveRun | undefined, seq: number): void;
  /** Signals to this key up to there are no longer needed: its run has taken those of this name, or is no longer live. */
  spent(key: string, name: string | undefined, upTo: number): void;
  /** The run is no longer live. `inbox` = who waits for the outcome and does not get it from the log itself; empty = nobody. */
  finished(run: LiveRun, as: FinishedRun, inbox: string): void;
  /** A run has finished that was not live here: its entry was purged or moved before it was read. */
  learned(run: FinishedRun): void;
  /** The log says something of an erased run, which has to be removed: the stone means what came before it, and whatever comes later is meant itself. */
  remained?(run: FinishedRun): void;
  /** All keys with outcomes at or below `upTo` are forgotten, because `writer` said so. */
  marked(upTo: number, writer: string): void;
  /** A retention mark forgets this run. Called before `marked`. */
  forgot?(run: FinishedRun): void;
}
