import type { FailureHandler } from "../domain/failure.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { OutcomeKind, Turn } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { Heartbeat, Register, TaskDeclaration } from "../wire/messages.ts";
import type { OutcomeAuthor, OutcomeDetail } from "../wire/outcome-entry.ts";
import type { RunEntry } from "../wire/run-entry.ts";
import type { Cautious, Tried } from "./caution.ts";
import type { PurgeFilter, StoredRate } from "./commands.ts";
import type { CountedSpan } from "./counted-time.ts";

/** What the fold reads of an outcome. */
export interface FoldedOutcome {
  readonly kind: OutcomeKind;
  readonly key: string;
  readonly turn: number;
  readonly origin: number;
  readonly at: number;
  readonly dueAt: number;
  readonly detail: OutcomeDetail | undefined;
  /** The input is not repeated: the run's entry has to stay. */
  readonly inputStays?: boolean | undefined;
}

/** Its input is copied if it is kept. */
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
/** An entry with many runs was read from the log. What a compaction left out of it has no entry any more. */
export interface BundleEvent {
  readonly type: "bundle";
  readonly seq: number;
  readonly at: number;
  readonly task: string;
  readonly name: string;
  readonly runs: readonly { readonly id: string; readonly entry: FoldedEntry }[];
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
  readonly outcomes: readonly FoldedOutcome[];
}
/** What a leader that leaves cleanly hands over: who executes what. */
export interface LedgerEntry {
  readonly key: string;
  readonly turn: number;
  readonly worker: string;
}
/**
 * This engine holds the lease and has folded the whole log.
 *
 * `ledger` is given only when the leader before left cleanly; without it runs wait until all `knownWorkers` registered or 2 s passed, and
 * none of them is cancelled or moved before each of these has registered or is gone.
 */
export interface LeadEvent {
  readonly type: "lead";
  readonly epoch: number;
  readonly knownWorkers: readonly string[];
  readonly ledger?: readonly LedgerEntry[] | undefined;
  /** Which time counted as waiting for a leader before that left cleanly. */
  readonly counted?: CountedSpan | undefined;
  /** What leaders before this one tried in their own process, and may have died of. */
  readonly tried?: readonly Tried[] | undefined;
  /** What they were cautious with. */
  readonly cautious?: Cautious | undefined;
  /** The process of this engine. */
  readonly process?: string | undefined;
}
/** `refused` are indices into the runs of the `assign` command. */
export interface AssignedEvent {
  readonly type: "assigned";
  readonly id: string;
  readonly batch: number;
  readonly refused: readonly number[];
  readonly why?: "stale" | "quiet" | "full" | "unknown task" | undefined;
}
/**
 * Where the outcomes that are left in the stream begin (one behind its last sequence if there are none).
 *
 * Given before the first entry is read, whenever the reader has caught up after a pause, and before `lead`. An engine that was
 * overtaken by a purge while it read is told to `rebuild`: it may have seen a run whose outcome it can never see.
 */
export interface FloorEvent {
  readonly type: "floor";
  readonly outcomesFrom: number;
}
/** A `compact` command found another entry than it expected; `name` is the key of its run, or the name of its bundle. */
export interface CompactionRefusedEvent {
  readonly type: "compactionRefused";
  readonly task: string;
  readonly name: string;
  readonly expectSeq: number;
}

/** `units` more are stored. `found`: what the leader before had stored meanwhile. */
export interface ConfirmedRate {
  readonly id: string;
  readonly units: number;
  readonly found?: StoredRate | undefined;
}

/** All that can happen to a scheduler. Standbys get `entry`, `bundle` and `outcomes` only. */
export type SchedulerEvent =
  | EntryEvent
  | BundleEvent
  | OutcomesEvent
  | LeadEvent
  | AssignedEvent
  | CompactionRefusedEvent
  | FloorEvent
  /** What is paused now. Given before `lead`, and when it changes. */
  | { readonly type: "pauses"; readonly pauses: Pauses }
  /** What workers declared of their tasks, as it is stored. Given before `lead`: a timeout that is not known yet would be taken for none. */
  | { readonly type: "definitions"; readonly tasks: readonly TaskDeclaration[] }
  /** Who handles failures, as it is stored. Given before `lead`. */
  | { readonly type: "failureHandlers"; readonly handlers: readonly FailureHandler[] }
  /** All rate limits as they are stored. Given before `lead`. */
  | { readonly type: "rates"; readonly rates: readonly StoredRate[] }
  | { readonly type: "ratesStored"; readonly rates: readonly ConfirmedRate[] }
  /** The input of a run; undefined when it has to be asked for again. */
  | { readonly type: "input"; readonly run: LiveRun; readonly input: Uint8Array | undefined }
  /** Nobody will ever read the input of this run. */
  | { readonly type: "inputGone"; readonly run: LiveRun }
  | { readonly type: "stepDown" }
  | { readonly type: "register"; readonly message: Register }
  | { readonly type: "heartbeat"; readonly message: Heartbeat }
  | { readonly type: "leave"; readonly id: string }
  | { readonly type: "pong"; readonly id: string }
  | { readonly type: "unreachable"; readonly id: string }
  /** The code of these attempts has ended: their slots are free, while their outcomes are on their way to the log. */
  | { readonly type: "ended"; readonly id: string; readonly attempts: readonly Turn[] }
  | { readonly type: "unacknowledged"; readonly id: string; readonly batch: number }
  | { readonly type: "cancel"; readonly keys: readonly string[]; readonly reason: string }
  | { readonly type: "reschedule"; readonly keys: readonly string[]; readonly dueAt: number }
  | { readonly type: "waiter"; readonly key: string; readonly inbox: string }
  | { readonly type: "purged"; readonly filter: PurgeFilter; readonly keepFrom: number }
  | { readonly type: "tick" };
