// Records in the bucket of a namespace, besides task definitions. Whoever may write there can write anything: a record without
// the right shape is reported and ignored.
import { parseCron } from "../domain/cron.ts";
import type { CronRecord } from "../domain/cron-record.ts";
import type { FailureHandler } from "../domain/failure.ts";
import { isKey, isTaskName } from "../domain/names.ts";
import type { Pauses } from "../domain/pauses.ts";
import { isToken } from "../domain/run-id.ts";
import type { HandOver } from "./hand-over.ts";
import { isCount, isRecord, isText, isTime, isTurn } from "./ranges.ts";

/** A schedule under `cron.<base64url of the name>`. */
export function isStoredCron(record: unknown): record is CronRecord {
  if (!isRecord(record)) return false;
  const { task, origin, worker, paused, lastTick, firing, name, expression, timezone, catchUp, input } = record;
  if (!isTask(task) || (origin !== "code" && origin !== "api") || typeof paused !== "boolean") return false;
  // A last tick in the future was written by a wrong clock, and is corrected.
  if (!Number.isFinite(lastTick) || !(worker === undefined || isText(worker)) || !isFiring(firing)) return false;
  try {
    parseCron(expression, task, { name, timezone, catchUp, input } as never, "cron");
    return isText(name);
  } catch {
    return false;
  }
}

const isFiring = (firing: unknown): boolean =>
  firing === undefined || (isRecord(firing) && isText(firing.by) && isListOf(firing.ticks, isTime));

export const isDeclaredCrons = (record: unknown): record is { readonly startedAt: number } =>
  isRecord(record) && isTime(record.startedAt);

export function isPauses(record: unknown): record is Pauses {
  if (!isRecord(record)) return false;
  const { namespace, tasks, workers, resumedAt } = record;
  return (
    typeof namespace === "boolean" &&
    isListOf(tasks, isText) &&
    isListOf(workers, isText) &&
    isRecord(resumedAt) &&
    Object.values(resumedAt).every(isTime)
  );
}

/** Worker ids, which become tokens of subjects. */
export const isWorkerIds = (record: unknown): record is readonly string[] =>
  isListOf(record, (id) => isText(id) && isToken(id));

/** A worker that may be executing something, noted for the next leader. */
export interface KnownWorker {
  readonly id: string;
  /** Its tasks with concurrency limits, or those it executes; undefined = any task may be among them. */
  readonly keyed?: readonly string[] | undefined;
  readonly process?: string | undefined;
}
export const isKnownWorkers = (record: unknown): record is readonly KnownWorker[] => isListOf(record, isKnownWorker);

const isKnownWorker = (known: unknown): boolean =>
  isRecord(known) &&
  isText(known.id) &&
  (known.keyed === undefined || isListOf(known.keyed, isText)) &&
  (known.process === undefined || isText(known.process));

export function isStoredRate(record: unknown): record is {
  readonly id: string;
  readonly perMs: number;
  readonly uses: readonly { readonly at: number; readonly units: number }[];
  readonly held?: number;
  readonly epoch: number;
} {
  if (!isRecord(record)) return false;
  const { id, perMs, uses, held, epoch } = record;
  return (
    isText(id) && isTime(perMs) && isListOf(uses, isUse) && (held === undefined || isCount(held)) && isCount(epoch)
  );
}

const isUse = (use: unknown): boolean => isRecord(use) && isTime(use.at) && isCount(use.units);

export const isFailureHandler = (record: unknown): record is FailureHandler =>
  isRecord(record) && isTask(record.task) && isTask(record.handler) && isCount(record.from);

export function isTried(record: unknown): record is {
  readonly epoch: number;
  readonly tried: readonly {
    readonly key: string;
    readonly turn: number;
    readonly worker: string;
    readonly alone?: boolean;
  }[];
  readonly cautious?: { readonly upTo: number; readonly left: number };
} {
  if (!isRecord(record)) return false;
  const { epoch, tried, cautious } = record;
  const isCautious = cautious === undefined || (isRecord(cautious) && isCount(cautious.upTo) && isCount(cautious.left));
  return isCount(epoch) && isListOf(tried, isAttempt) && isCautious;
}

/** Up to where failures are handled. */
export const isHandled = (record: unknown): record is { readonly epoch: number; readonly upTo: number } =>
  isRecord(record) && isCount(record.epoch) && isCount(record.upTo);

function isAttempt(told: unknown): boolean {
  if (!isRecord(told)) return false;
  const { key, turn, worker } = told;
  return isText(key) && isKey(key) && isTurn(turn) && isText(worker) && isToken(worker);
}

/** Whether new runs are taken. Units: bytes */
export interface AdmissionFlag {
  readonly isOpen: boolean;
  readonly bytes: number;
  readonly maxBytes: number;
  /** What is wrong with the store; absent if it has only reached `maxBytes`. */
  readonly reason?: string;
}
export function isAdmissionFlag(record: unknown): record is AdmissionFlag {
  if (!isRecord(record)) return false;
  const { isOpen, bytes, maxBytes, reason } = record;
  return typeof isOpen === "boolean" && isCount(bytes) && isCount(maxBytes) && (reason === undefined || isText(reason));
}

/** The current leader, or a previous one that left something behind. */
export interface LeaseRecord extends HandOver {
  readonly engine: string;
  readonly released: boolean;
}

export function isLeaseRecord(record: unknown): record is LeaseRecord {
  if (!isRecord(record)) return false;
  const { engine, released, ledger, counted } = record;
  const isLedger = ledger === undefined || isListOf(ledger, isAttempt);
  return (
    isText(engine) &&
    isToken(engine) &&
    typeof released === "boolean" &&
    isLedger &&
    (counted === undefined || isSpan(counted))
  );
}

function isSpan(told: unknown): boolean {
  if (!isRecord(told) || !isTime(told.since) || !isTime(told.until)) return false;
  return isListOf(told.gaps, (gap) => isRecord(gap) && isTime(gap.from) && isTime(gap.to));
}

const isTask = (name: unknown): name is string => isText(name) && isTaskName(name);

const isListOf = (told: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(told) && told.every(isItem);
