// Log events: the entries of the log, decoded, as the fold takes them in.
import type { Moved, OutcomeHead } from "../wire/outcome-entry.ts";
import type { RunEntry } from "../wire/run-entry.ts";
import type { OutcomeDetail } from "../wire/story.ts";
import type { OutcomeAuthor } from "../wire/subjects.ts";

/** What the fold reads of an outcome. */
export interface FoldedOutcome extends Omit<OutcomeHead, "attempt"> {
  readonly detail: OutcomeDetail | undefined;
  /** The outcome does not repeat the input, so the run's entry must stay. */
  readonly inputStays?: boolean | undefined;
}

/** What the fold reads of a run entry. The input is a view on what was received: it is copied if it is kept. */
export type FoldedEntry = Omit<RunEntry, "input"> & { readonly input?: Uint8Array | undefined };

/** A run entry was read from the log. */
export interface EntryEvent {
  readonly type: "entry";
  readonly seq: number;
  /** When the server stored it. Units: epoch milliseconds */
  readonly at: number;
  readonly task: string;
  readonly id: string;
  readonly entry: FoldedEntry;
}
/** An entry with many runs was read from the log. Runs of the bundle that are not in it any more, after a compaction, have no entry. */
export interface BundleEvent {
  readonly type: "bundle";
  readonly seq: number;
  readonly at: number;
  readonly task: string;
  readonly name: string;
  readonly runs: readonly { readonly id: string; readonly entry: FoldedEntry }[];
}
/** A signal to a run was read from the log; its data stays there. */
export interface SignalEvent {
  readonly type: "signal";
  readonly seq: number;
  readonly at: number;
  readonly task: string;
  readonly id: string;
  readonly name: string;
}
/** An outcome entry was read from the log. */
export interface OutcomesEvent {
  readonly type: "outcomes";
  readonly seq: number;
  readonly at: number;
  readonly by: OutcomeAuthor;
  readonly writer: string;
  /** The inbox whose owner reads this entry by itself; empty or absent = nobody's. */
  readonly told?: string;
  /** Set if the entry replaces an earlier one, without the outcomes of erased runs. */
  readonly moved?: Moved | undefined;
  readonly outcomes: readonly FoldedOutcome[];
}

/** An entry that nobody can decode: it changes nothing, but nothing is missing where it stands. */
export interface UnreadableEvent {
  readonly type: "unreadable";
  readonly seq: number;
  readonly at: number;
}

/** What the log brings. */
export type LogEvent = EntryEvent | BundleEvent | SignalEvent | OutcomesEvent | UnreadableEvent;
