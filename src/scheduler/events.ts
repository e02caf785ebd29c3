// Events: everything that the scheduler can be told.
import type { StoredCron } from "../domain/cron-record.ts";
import type { Pauses } from "../domain/pauses.ts";
import type { Turn } from "../domain/run.ts";
import type { HeardEvent } from "../fold/floor.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { LogEvent } from "../fold/log-events.ts";
import type { CompactionRefusedEvent } from "../housekeeping/answers.ts";
import type { SweptEvent } from "../housekeeping/sweep.ts";
import type { PurgeFilter } from "../matching/commands.ts";
import type { ConfirmedRate } from "../matching/limits/rates.ts";
import type { AssignedEvent } from "../presence/assigned.ts";
import type { LeadEvent } from "../presence/takeover.ts";
import type { CronWrittenEvent } from "../reactions/schedules.ts";
import type { Heartbeat, Register } from "../wire/worker-messages.ts";
import type { Briefing } from "./briefing.ts";

/**
 * Gives the sequence of the first remaining outcome entry, or the one after the last sequence if there is none.
 *
 * It is given before the first entry is read, whenever the reader has caught up after a pause, and before `lead`. An engine that was
 * overtaken by a purge while it read is told to `rebuild`: it may have seen a run whose outcome it can no longer see.
 */
export interface FloorEvent {
  readonly type: "floor";
  readonly outcomesFrom: number;
}
/** Everything that can happen to a scheduler. What only a leader heeds is ignored by a standby. */
export type SchedulerEvent =
  | LogEvent
  | LeadEvent
  | AssignedEvent
  | CompactionRefusedEvent
  | FloorEvent
  | HeardEvent
  | SweptEvent
  /** What is stored beside the log, or the parts of it that have changed. Given before `lead`. */
  | { readonly type: "briefed"; readonly briefing: Partial<Briefing> }
  /** What is paused from now on. */
  | { readonly type: "pauses"; readonly pauses: Pauses }
  /** A caller or a registration has changed or removed a schedule. */
  | { readonly type: "cronChanged"; readonly name: string; readonly there: StoredCron | undefined }
  | CronWrittenEvent
  /** The run of a reaction is stored. Numbers start again in each term, so the answer to an earlier term must not be given. */
  | { readonly type: "reacted"; readonly n: number }
  | { readonly type: "handledStored"; readonly upTo: number }
  | { readonly type: "ratesStored"; readonly rates: readonly ConfirmedRate[] }
  /** The input of a run; undefined if it could not be read and has to be requested again. */
  | { readonly type: "input"; readonly run: LiveRun; readonly input: Uint8Array | undefined }
  /** The input of this run is gone for good. */
  | { readonly type: "inputGone"; readonly run: LiveRun }
  | { readonly type: "stepDown" }
  | { readonly type: "register"; readonly message: Register }
  | { readonly type: "heartbeat"; readonly message: Heartbeat }
  | { readonly type: "leave"; readonly id: string }
  | { readonly type: "pong"; readonly id: string }
  /** Nobody listens on the worker's subject. `isDead`: its process has ended, so it executes nothing any more. */
  | { readonly type: "unreachable"; readonly id: string; readonly isDead?: boolean }
  /** The code of these attempts has ended: their slots are free, while their outcomes are on their way to the log. */
  | { readonly type: "ended"; readonly id: string; readonly attempts: readonly Turn[] }
  | { readonly type: "unacknowledged"; readonly id: string; readonly batch: number }
  | {
      readonly type: "cancel";
      readonly keys: readonly string[];
      readonly reason: string;
      /** Whether to cancel at once, without letting durable runs clean up. */
      readonly kill?: boolean;
    }
  /** A request to put what outcomes say about these runs into the runs' own entries. */
  | { readonly type: "cover"; readonly keys: readonly string[] }
  /** A request to erase finished runs. */
  | { readonly type: "erase"; readonly keys: readonly string[] }
  /** Nothing is left of what the log said about these runs up to a sequence. */
  | { readonly type: "erased"; readonly keys: readonly string[]; readonly upTo: number }
  | { readonly type: "reschedule"; readonly keys: readonly string[]; readonly dueAt: number }
  | { readonly type: "waiter"; readonly key: string; readonly inbox: string }
  | { readonly type: "purged"; readonly filter: PurgeFilter; readonly keepFrom: number }
  /** `livesSince`: since when this engine has run without a break, also as a standby: no tick of a schedule was missed. Units: epoch milliseconds */
  | { readonly type: "tick"; readonly livesSince?: number };
