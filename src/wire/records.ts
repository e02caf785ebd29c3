// Records in the bucket of a namespace, besides task definitions. Whoever may write there can write anything: a record without
// the right shape is reported and ignored.
import { parseCron } from "../domain/cron.ts";
import type { CronRecord } from "../domain/cron-record.ts";
import type { FailureHandler } from "../domain/failure.ts";
import { isKey, isTaskName } from "../domain/names.ts";
import type { Pauses } from "../domain/pauses.ts";
import { isToken } from "../domain/run-id.ts";
import type { CountedSpan, HandOver, LedgerEntry } from "./hand-over.ts";
import { isCount, isOrigin, isText, isTime, isTurn } from "./ranges.ts";
import { isFlag, listOf, mapOf, optional, shapeOf } from "./shape.ts";

const isTask = (name: unknown): name is string => isText(name) && isTaskName(name);
/** It becomes a token of a subject. */
const isName = (value: unknown): value is string => isText(value) && isToken(value);
const isKeyText = (value: unknown): value is string => isText(value) && isKey(value);

const isCronState = shapeOf<Pick<CronRecord, "task" | "origin" | "worker" | "paused" | "lastTick" | "firing" | "name">>(
  {
    task: isTask,
    origin: (origin) => origin === "code" || origin === "api",
    worker: optional(isText),
    paused: isFlag,
    // One in the future was written by a wrong clock, and is corrected.
    lastTick: Number.isFinite,
    firing: optional(shapeOf<NonNullable<CronRecord["firing"]>>({ by: isText, ticks: listOf(isTime) })),
    name: isText,
  },
);

/** A schedule under `cron.<base64url of the name>`. */
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

export const isDeclaredCrons = shapeOf<{ readonly startedAt: number }>({ startedAt: isTime });

export const isPauses = shapeOf<Pauses>({
  namespace: isFlag,
  tasks: listOf(isText),
  workers: listOf(isText),
  resumedAt: mapOf(isTime),
});

/** Worker ids. */
export const isWorkerIds = listOf(isName);

/** A worker that may be executing something, noted for the next leader. */
export interface KnownWorker {
  readonly id: string;
  /** Its tasks with concurrency limits, or those it executes; undefined = any task may be among them. */
  readonly keyed?: readonly string[] | undefined;
  readonly process?: string | undefined;
}
export const isKnownWorkers = listOf(
  shapeOf<KnownWorker>({ id: isText, keyed: optional(listOf(isText)), process: optional(isText) }),
);

/** Uses of a rate limit, by their time. Units: epoch milliseconds */
interface RateRecord {
  readonly id: string;
  readonly perMs: number;
  readonly uses: readonly { readonly at: number; readonly units: number }[];
  readonly held?: number;
  readonly epoch: number;
}
export const isStoredRate = shapeOf<RateRecord>({
  id: isText,
  perMs: isTime,
  uses: listOf(shapeOf<RateRecord["uses"][number]>({ at: isTime, units: isCount })),
  held: optional(isCount),
  epoch: isCount,
});

export const isFailureHandler = shapeOf<FailureHandler>({ task: isTask, handler: isTask, from: isCount });

/** What a cautious leader has assigned. */
interface StoredTries {
  readonly epoch: number;
  readonly tried: readonly {
    readonly key: string;
    readonly turn: number;
    readonly worker: string;
    readonly alone?: boolean;
  }[];
  readonly cautious?: { readonly upTo: number; readonly left: number };
}
const anAttempt = { key: isKeyText, turn: isTurn, worker: isName };
export const isTried = shapeOf<StoredTries>({
  epoch: isCount,
  tried: listOf(shapeOf<StoredTries["tried"][number]>({ ...anAttempt, alone: optional(isFlag) })),
  cautious: optional(shapeOf<NonNullable<StoredTries["cautious"]>>({ upTo: isCount, left: isCount })),
});

/** Up to where failures are handled. */
export const isHandled = shapeOf<{ readonly epoch: number; readonly upTo: number }>({ epoch: isCount, upTo: isCount });

/** Whether new runs are taken. Units: bytes */
export interface AdmissionFlag {
  readonly isOpen: boolean;
  readonly bytes: number;
  readonly maxBytes: number;
  /** What is wrong with the store; absent if it has only reached `maxBytes`. */
  readonly reason?: string;
}
export const isAdmissionFlag = shapeOf<AdmissionFlag>({
  isOpen: isFlag,
  bytes: isCount,
  maxBytes: isCount,
  reason: optional(isText),
});

/** The current leader, or a previous one that left something behind. */
export interface LeaseRecord extends HandOver {
  readonly engine: string;
  readonly released: boolean;
}

export const isLeaseRecord = shapeOf<LeaseRecord>({
  engine: isName,
  released: isFlag,
  ledger: optional(listOf(shapeOf<LedgerEntry>({ ...anAttempt, origin: isOrigin }))),
  counted: optional(
    shapeOf<CountedSpan>({
      since: isTime,
      until: isTime,
      gaps: listOf(shapeOf<CountedSpan["gaps"][number]>({ from: isTime, to: isTime })),
    }),
  ),
});
