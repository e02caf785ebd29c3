import type { CronRecord, StoredCron } from "../domain/cron-record.ts";
import type { Resume } from "../domain/durable.ts";
import type { FailureHandler } from "../domain/failure.ts";
import type { Reaction } from "../domain/reaction.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { OutcomeHead } from "../wire/outcome-entry.ts";
import type { RunEntry } from "../wire/run-entry.ts";
import type { OutcomeDetail } from "../wire/story.ts";
import type { Stop } from "../wire/worker-messages.ts";
import type { StoreTriedCommand } from "./suspects/tried.ts";

/** An outcome that the engine itself appends: lost, cancelled, failed, cancelling, or a retention mark. */
export interface EngineOutcome extends OutcomeHead {
  readonly detail: OutcomeDetail | undefined;
  /** Where the creator of the run waits for a final outcome; empty = nowhere. */
  readonly inbox: string;
  /** The run's entry, whose input a final outcome repeats; 0 = no input. */
  readonly inputSeq: number;
  /** A final outcome of a large input does not repeat it. */
  readonly inputStays?: boolean | undefined;
}

/** All entries of a task, all outcome entries, the entry of one key, a bundle, or signals to a run. */
export type PurgeFilter =
  | "outcomes"
  | { readonly task: string }
  | { readonly key: string }
  | { readonly bundle: string; readonly of: string }
  /** Of all names, or of one. */
  | { readonly signalsOf: string; readonly name?: string };

export interface AssignCommand {
  readonly type: "assign";
  readonly worker: string;
  readonly batch: number;
  readonly epoch: number;
  readonly runs: readonly LiveRun[];
  /** Those that execute in one call with the previous run. */
  readonly followers: ReadonlySet<LiveRun>;
  /** Where parked runs are, and what has arrived for them since. */
  readonly resumes?: ReadonlyMap<LiveRun, Resume>;
  /** Send it when the newest `storeTried` is stored; not at all if another engine leads by then. */
  readonly isNoted?: boolean;
}
/** A run as the fold knows it, with the input found at `inputSeq` (0 = none). */
export interface CompactedRun {
  readonly key: string;
  readonly inputSeq: number;
  readonly entry: Omit<RunEntry, "input">;
  /** For a pinned child, instead of its input: its outcome, or what its entry has of that. */
  readonly resultAt?: { readonly seq: number; readonly index: number } | { readonly entrySeq: number };
}
/**
 * Put `runs` in place of an entry, expecting `expectSeq` as last of its subject. `name` is the key of the run whose entry it is, or the
 * name of the bundle of which these remain.
 */
export interface CompactCommand {
  readonly type: "compact";
  readonly task: string;
  readonly name: string;
  readonly isBundle: boolean;
  readonly expectSeq: number;
  readonly runs: readonly CompactedRun[];
}
/** Send the outcome at `index` of the entry `seq` to `inbox`. */
export interface ForwardCommand {
  readonly type: "forward";
  readonly inbox: string;
  readonly key: string;
  readonly seq: number;
  readonly index: number;
}

/** What was started, or is reserved, under a rate limit. Units: epoch milliseconds */
export interface StoredRate {
  readonly id: string;
  readonly perMs: number;
  readonly uses: readonly { readonly at: number; readonly units: number }[];
  /** Reserved when this was written; may have been used at any time since. */
  readonly held?: number;
}

/** What the engine must do. */
export type Command =
  | AssignCommand
  | CompactCommand
  | ForwardCommand
  | { readonly type: "append"; readonly outcomes: readonly EngineOutcome[] }
  /** Store this, then answer with `ratesStored`; `units` are what is new. */
  | { readonly type: "storeRates"; readonly rates: readonly (StoredRate & { readonly units: number })[] }
  /** Store what is now tried in this process, replacing the last record; given before the assignments that it names. */
  | StoreTriedCommand
  | { readonly type: "dropRates"; readonly ids: readonly string[] }
  /** Create the run of a reaction, unless there is one; then answer with `reacted`. */
  | { readonly type: "react"; readonly n: number; readonly reaction: Reaction }
  /** Store a changed schedule; then answer with `cronWritten`. */
  | { readonly type: "storeCron"; readonly record: CronRecord; readonly over: StoredCron }
  /** Store up to where failures are handled; then answer with `handledStored`. */
  | { readonly type: "storeHandled"; readonly upTo: number }
  /** Remove the record of a task that nobody has any more. */
  | { readonly type: "forgetTask"; readonly task: string }
  /** Store who handles the failures of a task; undefined = nobody. */
  | { readonly type: "storeFailureHandler"; readonly task: string; readonly handler: FailureHandler | undefined }
  /** Read the input of a live run from the log and answer with `input`. */
  | { readonly type: "readInput"; readonly run: LiveRun }
  /** Ask the store for the last sequence, fold up to there, and answer with `heard`. */
  | { readonly type: "askForEnd"; readonly gaps: number }
  | { readonly type: "cancelOn"; readonly worker: string; readonly runs: readonly Stop[] }
  /** Delete what the filter names and has a sequence below `keepFrom`; then answer with `purged`. Safe to repeat. */
  | { readonly type: "purge"; readonly filter: PurgeFilter; readonly keepFrom: number }
  /** Remove a journal, once. */
  | { readonly type: "purgeJournal"; readonly key: string; readonly origin: number }
  /** Look up which signals and journals are stored, and answer with `swept`, in parts. */
  | { readonly type: "sweep" }
  /** Discard this state and read the log from the start: a purge overtook the reader. The new state gets the same floor first. */
  | { readonly type: "rebuild"; readonly outcomesFrom: number }
  /** Give a `tick` at this time at the latest. Units: epoch milliseconds */
  | { readonly type: "wake"; readonly at: number }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
