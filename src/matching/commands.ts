// Commands: what the scheduler decides, for the engine to carry out. All are done, or repeated, by src/engine/deeds.ts.
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

/** An outcome that an engine appends by itself, such as `lost`, `cancelled` or a retention mark. */
export interface EngineOutcome extends OutcomeHead {
  readonly detail: OutcomeDetail | undefined;
  /** Where the run's creator waits for a final outcome; empty = nowhere. */
  readonly inbox: string;
  /** Sequence of the run's entry, whose input a final outcome repeats; 0 = no input. */
  readonly inputSeq: number;
  /** A final outcome of a large input does not repeat it. */
  readonly inputStays?: boolean | undefined;
}

/** What to purge: all run entries of a task, all outcome entries, the entry of one key, a bundle, or the signals to a run. */
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
  /** Those of `runs` that execute in one call with the run before them. */
  readonly followers: ReadonlySet<LiveRun>;
  /** Of durable runs: where each is parked, and what has arrived for it since. */
  readonly resumes?: ReadonlyMap<LiveRun, Resume>;
  /** Send it once the newest `storeTried` is stored; not at all if another engine leads by then. */
  readonly isNoted?: boolean;
}
/** A run as the fold knows it, with the input found at `inputSeq` (0 = none). */
export interface CompactedRun {
  readonly key: string;
  readonly inputSeq: number;
  readonly entry: Omit<RunEntry, "input">;
  /** Of a pinned child, whose entry holds its result in place of its input: where that is to be read. */
  readonly resultAt?: { readonly seq: number; readonly index: number } | { readonly entrySeq: number };
}
/**
 * Replace an entry by one with these `runs`, expecting `expectSeq` as the last sequence of its subject. `name` is the key of the run, or the
 * name of the bundle of which these runs remain.
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

/** What has been used of a rate limit, as it is stored. Units: epoch milliseconds */
export interface StoredRate {
  readonly id: string;
  readonly perMs: number;
  readonly uses: readonly { readonly at: number; readonly units: number }[];
  /** Units that were reserved when this was written: they may have been used at any time since. */
  readonly held?: number;
}

/** What the engine must do, and which event it answers with. */
export type Command =
  | AssignCommand
  | CompactCommand
  | ForwardCommand
  | { readonly type: "append"; readonly outcomes: readonly EngineOutcome[] }
  /** Store this, then answer with `ratesStored`; `units`: how many of them are reserved anew. */
  | { readonly type: "storeRates"; readonly rates: readonly (StoredRate & { readonly units: number })[] }
  | StoreTriedCommand
  | { readonly type: "dropRates"; readonly ids: readonly string[] }
  /** Create the run of a reaction, unless it exists; then answer with `reacted`. */
  | { readonly type: "react"; readonly n: number; readonly reaction: Reaction }
  /** Store a changed schedule; then answer with `cronWritten`. */
  | { readonly type: "storeCron"; readonly record: CronRecord; readonly over: StoredCron }
  /** Store how far in the log failures are handled; then answer with `handledStored`. */
  | { readonly type: "storeHandled"; readonly upTo: number }
  /** Store how far in the log nothing is left of erased runs. */
  | { readonly type: "storeErased"; readonly upTo: number }
  /** Remove the record of a task that no worker and no run has any more, because there are too many. */
  | { readonly type: "forgetTask"; readonly task: string }
  /** Store who handles the failures of a task; undefined = nobody. */
  | { readonly type: "storeFailureHandler"; readonly task: string; readonly handler: FailureHandler | undefined }
  /** Read the input of a live run from the log and answer with `input`. */
  | { readonly type: "readInput"; readonly run: LiveRun }
  /** Ask the store for the last sequence, fold up to there, and answer with `heard`. */
  | { readonly type: "askForEnd"; readonly gaps: number }
  /** Tell a worker to stop these attempts. Sent once: the scheduler repeats it when the worker names an attempt again. */
  | { readonly type: "cancelOn"; readonly worker: string; readonly runs: readonly Stop[] }
  /** Delete what the filter names and has a sequence below `keepFrom`; then answer with `purged`. Safe to repeat. */
  | { readonly type: "purge"; readonly filter: PurgeFilter; readonly keepFrom: number }
  /** Remove the journal of a run. A failure is not answered: a later sweep finds the journal again. */
  | { readonly type: "purgeJournal"; readonly key: string; readonly origin: number }
  /** Look up which signals and journals are stored, and answer with `swept`, in parts. */
  | { readonly type: "sweep" }
  /** Discard this state and read the log from the start, because a purge has overtaken the reader. The new fold is told `outcomesFrom` first. */
  | { readonly type: "rebuild"; readonly outcomesFrom: number }
  /** Call `tick` at this time at the latest. Units: epoch milliseconds */
  | { readonly type: "wake"; readonly at: number }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
