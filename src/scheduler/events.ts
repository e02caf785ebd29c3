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
 * Sequence of the first remaining outcome entry (one after the last sequence if there is none).
 *
 * Given before the first entry is read, whenever the reader has caught up after a pause, and before `lead`. An engine that was
 * overtaken by a purge while reading gets `rebuild`: it may have seen a run whose outcome it can never see.
 */
export interface FloorEvent {
  readonly type: "floor";
  readonly outcomesFrom: number;
}
/** Everything that can happen to a scheduler. Standbys get only `floor` and what the log brings. */
export type SchedulerEvent =
  | LogEvent
  | LeadEvent
  | AssignedEvent
  | CompactionRefusedEvent
  | FloorEvent
  | HeardEvent
  | SweptEvent
  /** What is stored besides the log, or what changed there. Given before `lead`. */
  | { readonly type: "briefed"; readonly briefing: Partial<Briefing> }
  /** What is paused from now on. */
  | { readonly type: "pauses"; readonly pauses: Pauses }
  /** A schedule was stored otherwise, or removed. */
  | { readonly type: "cronChanged"; readonly name: string; readonly there: StoredCron | undefined }
  | CronWrittenEvent
  /** Numbers start again with each term: answers to an earlier term are not given. */
  | { readonly type: "reacted"; readonly n: number }
  | { readonly type: "handledStored"; readonly upTo: number }
  | { readonly type: "ratesStored"; readonly rates: readonly ConfirmedRate[] }
  /** The input of a run; undefined if it has to be requested again. */
  | { readonly type: "input"; readonly run: LiveRun; readonly input: Uint8Array | undefined }
  /** Nobody will ever read the input of this run. */
  | { readonly type: "inputGone"; readonly run: LiveRun }
  | { readonly type: "stepDown" }
  | { readonly type: "register"; readonly message: Register }
  | { readonly type: "heartbeat"; readonly message: Heartbeat }
  | { readonly type: "leave"; readonly id: string }
  | { readonly type: "pong"; readonly id: string }
  /** Nobody listens there. `isDead`: its process has ended, so nothing of it is executing. */
  | { readonly type: "unreachable"; readonly id: string; readonly isDead?: boolean }
  /** The code of these attempts has ended: their slots are free, while their outcomes are on their way to the log. */
  | { readonly type: "ended"; readonly id: string; readonly attempts: readonly Turn[] }
  | { readonly type: "unacknowledged"; readonly id: string; readonly batch: number }
  | {
      readonly type: "cancel";
      readonly keys: readonly string[];
      readonly reason: string;
      /** At once, without letting a durable run clean up. */
      readonly kill?: boolean;
    }
  /** Put what outcomes say about these runs into their entries. */
  | { readonly type: "cover"; readonly keys: readonly string[] }
  /** Erase finished runs. */
  | { readonly type: "erase"; readonly keys: readonly string[] }
  /** Nothing is left of what the log said of them up to a sequence. */
  | { readonly type: "erased"; readonly keys: readonly string[]; readonly upTo: number }
  | { readonly type: "reschedule"; readonly keys: readonly string[]; readonly dueAt: number }
  | { readonly type: "waiter"; readonly key: string; readonly inbox: string }
  | { readonly type: "purged"; readonly filter: PurgeFilter; readonly keepFrom: number }
  /** `livesSince`: since when this engine has been alive without a break, also as a standby; since then no tick of a schedule was missed. Units: epoch milliseconds */
  | { readonly type: "tick"; readonly livesSince?: number };
