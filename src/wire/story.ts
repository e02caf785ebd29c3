// The story of a run: the detail of its outcomes, as JSON. Whoever may append can write anything there: what does not have the right shape is
// dropped, and never keeps an outcome from being folded.
import { isAffinityRule } from "../domain/affinity.ts";
import type { Parked } from "../domain/durable.ts";
import type { ErrorRecord } from "../domain/error-record.ts";
import type { RunTerms } from "../domain/policies.ts";
import type { AttemptRecord } from "../domain/run.ts";
import { shallowJsonOf } from "./json-depth.ts";
import { isRecord, isText, isTime, isTurn } from "./ranges.ts";
import { listOf, mapOf, optional, shapeOf } from "./shape.ts";

/** The story of a run in its final outcome. */
export interface FinalDetail {
  readonly createdAt: number;
  readonly priority: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly terms?: RunTerms;
  readonly attempts: readonly AttemptRecord[];
  readonly error?: ErrorRecord;
  readonly reason?: string;
  /** Of an erased run: how it had ended. */
  readonly was?: "completed" | "failed" | "cancelled";
}

/** Detail of `retry`, `returned` and `lost`: the attempt that ended. */
export interface AttemptDetail {
  readonly attempt: AttemptRecord;
}

/** Detail of `cancelling`. */
export interface CancelWish {
  readonly reason: string;
}

export type OutcomeDetail = FinalDetail | AttemptDetail | CancelWish | Parked;

const kinds: readonly unknown[] = ["completed", "failed", "cancelled", "retry", "returned", "lost"];

export function attemptDetailOf(bytes: Uint8Array): AttemptDetail | undefined {
  const attempt = attemptOf(recordOf(bytes).attempt);
  return attempt && { attempt };
}

export function cancelWishOf(bytes: Uint8Array): CancelWish {
  const { reason } = recordOf(bytes);
  return { reason: isText(reason) ? reason : "no reason given" };
}

/** `at`: when the run ended. */
export function finalDetailOf(bytes: Uint8Array, at: number): FinalDetail {
  // With an `attempt`, it would look like an `AttemptDetail`.
  const { attempt: _, createdAt, priority, metadata, terms, attempts, error, reason, ...rest } = recordOf(bytes);
  return {
    ...rest,
    createdAt: isTime(createdAt) ? createdAt : at,
    priority: isPriority(priority) ? priority : 0,
    ...(isMetadata(metadata) && { metadata }),
    ...(isTerms(terms) && { terms }),
    attempts: attemptsOf(attempts),
    ...(isRecord(error) && { error: errorOf(error) }),
    ...(isText(reason) && { reason }),
  };
}

export const attemptsOf = (told: unknown): AttemptRecord[] =>
  Array.isArray(told) ? told.map(attemptOf).filter((attempt) => attempt !== undefined) : [];

export const isMetadata = mapOf(isText);

const isTerms = shapeOf<RunTerms>({
  affinity: optional(listOf(isAffinityRule)),
  scheduleTimeoutMs: (timeout) => timeout === undefined || timeout === null || isTime(timeout),
});

const isPriority = (told: unknown): told is number => isTurn(told) && told <= 9;

function attemptOf(told: unknown): AttemptRecord | undefined {
  if (!isRecord(told)) return undefined;
  const { attempt, turn, worker, startedAt, endedAt, outcome, error, ...rest } = told;
  const isStory = isTurn(attempt) && isTurn(turn) && isText(worker) && isTime(startedAt) && isTime(endedAt);
  if (!isStory || !kinds.includes(outcome)) return undefined;
  const record = { ...rest, attempt, turn, worker, startedAt, endedAt, outcome } as AttemptRecord;
  return isRecord(error) ? { ...record, error: errorOf(error) } : record;
}

function errorOf(told: Readonly<Record<string, unknown>>): ErrorRecord {
  const { name, message, stack, retryable, cause, errors, ...rest } = told;
  return {
    ...rest,
    name: isText(name) ? name : "Error",
    message: isText(message) ? message : "",
    ...(isText(stack) && { stack }),
    ...(typeof retryable === "boolean" && { retryable }),
    ...(isRecord(cause) && { cause: errorOf(cause) }),
    ...(Array.isArray(errors) && { errors: errors.filter(isRecord).map(errorOf) }),
  };
}

function recordOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const told = shallowJsonOf(bytes);
  return isRecord(told) ? told : {};
}
