// The records in the bucket of a namespace, besides task definitions. Whoever may write there can write anything: a record without the right
// shape is reported and ignored.
import * as Schema from "effect/Schema";
import { parseCron } from "../domain/cron.ts";
import type { CronRecord } from "../domain/cron-record.ts";
import { isTaskName } from "../domain/names.ts";
import { HandOver } from "./hand-over.ts";
import { Key, Name, Text, Time, TurnNumber, Whole } from "./messages.ts";

const TaskName = Text.check(Schema.makeFilter(isTaskName));

const isCronState = Schema.is(
  Schema.Struct({
    task: TaskName,
    name: Text,
    origin: Schema.Literals(["code", "api"]),
    worker: Schema.optionalKey(Text),
    paused: Schema.Boolean,
    // Not a Time: one in the future was written by a wrong clock, and is corrected later.
    lastTick: Schema.Finite,
    firing: Schema.optionalKey(Schema.Struct({ by: Text, ticks: Schema.Array(Time) })),
  }),
);

/** Whether a record is a schedule, as stored under `cron.<base64url of its name>`. */
export function isStoredCron(record: unknown): record is CronRecord {
  if (!isCronState(record)) return false;
  const { task, name, expression, timezone, catchUp, input } = record as CronRecord;
  try {
    parseCron(expression, task, { name, timezone, catchUp, input }, "cron");
    return true;
  } catch {
    return false;
  }
}

export const isDeclaredCrons = Schema.is(Schema.Struct({ startedAt: Time }));

export const isPauses = Schema.is(
  Schema.Struct({
    namespace: Schema.Boolean,
    tasks: Schema.Array(Text),
    workers: Schema.Array(Text),
    resumedAt: Schema.Record(Schema.String, Time),
  }),
);

/** Worker ids. */
export const isWorkerIds = Schema.is(Schema.Array(Name));

const KnownWorker = Schema.Struct({
  id: Text,
  /** Its tasks with concurrency limits, or those that it executes; undefined = it may be any. */
  keyed: Schema.optional(Schema.Array(Text)),
  process: Schema.optional(Text),
});
/** A worker that may be executing something, noted for the next leader. */
export type KnownWorker = typeof KnownWorker.Type;
export const isKnownWorkers = Schema.is(Schema.Array(KnownWorker));

/** What was used of a rate limit, and when. Units: epoch milliseconds */
export const isStoredRate = Schema.is(
  Schema.Struct({
    id: Text,
    perMs: Time,
    uses: Schema.Array(Schema.Struct({ at: Time, units: Whole })),
    held: Schema.optionalKey(Whole),
    epoch: Whole,
  }),
);

export const isFailureHandler = Schema.is(Schema.Struct({ task: TaskName, handler: TaskName, from: Whole }));

/** What a leader has noted of its assignments (matching/suspects/caution.ts). */
export const isTried = Schema.is(
  Schema.Struct({
    epoch: Whole,
    tried: Schema.Array(
      Schema.Struct({ key: Key, turn: TurnNumber, worker: Name, alone: Schema.optionalKey(Schema.Boolean) }),
    ),
    cautious: Schema.optionalKey(Schema.Struct({ upTo: Whole, left: Whole })),
  }),
);

/** How far in the log failures are handled, or erased runs gone. */
export const isUpTo = Schema.is(Schema.Struct({ epoch: Whole, upTo: Whole }));

const AdmissionFlag = Schema.Struct({
  isOpen: Schema.Boolean,
  bytes: Whole,
  maxBytes: Whole,
  /** What is wrong with the store; absent if it has only reached `maxBytes`. */
  reason: Schema.optionalKey(Text),
});
/** Whether new runs are taken. Units: bytes */
export type AdmissionFlag = typeof AdmissionFlag.Type;
export const isAdmissionFlag = Schema.is(AdmissionFlag);

const LeaseRecord = Schema.Struct({ engine: Name, released: Schema.Boolean, ...HandOver.fields });
/** Who leads, or who led last and what it left behind. */
export type LeaseRecord = typeof LeaseRecord.Type;
export const isLeaseRecord = Schema.is(LeaseRecord);
