import type { FinishedRun } from "./finished-run.ts";
import type { LiveRun } from "./live-run.ts";
import type { FoldedOutcome } from "./log-events.ts";

/**
 * Hears what an entry of the log has changed, while it is folded. Calls are direct and in the order of the log; the fold has changed before
 * each of them, but for `reported`.
 */
export interface FoldListener {
  /** A run entry, or a bundle, of this name stands at the tail of the log. Before what it says of its runs. */
  stored(name: string): void;
  /** The run is live from now on: it is new, or a compacted entry has brought it back. */
  created(run: LiveRun): void;
  /** A finished run was created again by somebody who waits at `inbox`; empty = nowhere. */
  duplicated(run: FinishedRun, inbox: string): void;
  /** What a worker has reported is about to be folded; for each outcome of the entry `reported` follows. */
  reporting(writer: string): void;
  /** A worker's outcome is about to be folded, whether it counts or not. */
  reported(outcome: FoldedOutcome): void;
  /** An outcome by `writer` has ended a turn of the run: it is on the next one. */
  turned(run: LiveRun, writer: string): void;
  /** The log says for the first time that the run is to be cancelled. */
  wished(run: LiveRun): void;
  /** A signal has come under the key of a run; undefined where none is live. */
  signalled(key: string, run: LiveRun | undefined, seq: number): void;
  /** Signals to this key up to there are of no use to anybody: its run has taken those of this name, or is live no more. */
  spent(key: string, name: string | undefined, upTo: number): void;
  /** The run is live no more. `inbox` = who waits for the outcome and is not told by the log itself; empty = nobody. */
  finished(run: LiveRun, as: FinishedRun, inbox: string): void;
  /** All keys whose outcomes are at or below `upTo` are forgotten, because `writer` said so. */
  marked(upTo: number, writer: string): void;
  /** Before the mark that says so. */
  forgot?(run: FinishedRun): void;
}
