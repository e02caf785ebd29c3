// From a verdict to the outcome that is stored: retried or final, with the whole story of the run.
import { errorRecordOf, PayloadTooLarge } from "../domain/errors.ts";
import { retryDelayMs } from "../domain/retry.ts";
import type { AttemptRecord, ErrorRecord, OutcomeKind } from "../domain/run.ts";
import { jsonBytes, noBytes } from "../protocol/bytes.ts";
import { encodeOutcomeFrame, type FinalDetail } from "../protocol/outcome-entry.ts";
import type { Attempt, Verdict } from "./attempt.ts";

export interface OutcomeOptions {
  readonly worker: string;
  /** Bytes of the largest entry. */
  readonly maxPayload: number;
  readonly random: () => number;
}

export interface StoredOutcome {
  readonly kind: OutcomeKind;
  readonly frame: Uint8Array;
  readonly error?: ErrorRecord;
  readonly dueAt: number;
}

/** Space of an entry that the frame's fixed part, its key and its history may take beside input and output. */
const overheadBytes = 16 * 1024;

/** Decides what becomes of the run, by the task's own policy. */
export function outcomeOf(attempt: Attempt, verdict: Verdict, at: number, options: OutcomeOptions): StoredOutcome {
  if (verdict.kind === "completed") return completed(attempt, verdict.output, at, options);
  if (verdict.kind === "cancelled") return final(attempt, "cancelled", at, options, { reason: verdict.reason });
  if (verdict.kind === "returned") return unfinished(attempt, "returned", at, 0, options, undefined);
  return failed(attempt, errorRecordOf(verdict.error), verdict.isFinal, at, options);
}

function completed(attempt: Attempt, value: unknown, at: number, options: OutcomeOptions): StoredOutcome {
  let output: Uint8Array;
  try {
    output = jsonBytes(value);
  } catch (cause) {
    const error = {
      name: "TypeError",
      message: `the output of task "${attempt.task.name}" cannot be written as JSON: ${(cause as Error).message}`,
    };
    return failed(attempt, error, true, at, options);
  }
  const bytes = output.length + attempt.assignment.input.length + overheadBytes;
  if (bytes > options.maxPayload) {
    const error = new PayloadTooLarge({
      what: `the output of task "${attempt.task.name}"`,
      bytes: output.length,
      limit: options.maxPayload,
    });
    return failed(attempt, { name: "PayloadTooLarge", message: error.message }, true, at, options);
  }
  return final(attempt, "completed", at, options, {}, output);
}

function failed(
  attempt: Attempt,
  error: ErrorRecord,
  isFinal: boolean,
  at: number,
  options: OutcomeOptions,
): StoredOutcome {
  const { retry } = attempt.task;
  const short = shorten(error);
  if (isFinal || attempt.assignment.attempt > retry.limit)
    return final(attempt, "failed", at, options, { error: short });
  const dueAt = at + retryDelayMs(retry, attempt.assignment.attempt, options.random);
  return unfinished(attempt, "retry", at, dueAt, options, short);
}

function final(
  attempt: Attempt,
  kind: OutcomeKind,
  at: number,
  options: OutcomeOptions,
  end: { readonly error?: ErrorRecord; readonly reason?: string },
  output: Uint8Array = noBytes,
): StoredOutcome {
  const { createdAt, priority, input } = attempt.assignment;
  const detail: FinalDetail = {
    createdAt,
    priority,
    ...(attempt.metadata && { metadata: attempt.metadata }),
    attempts: [...attempt.history, record(attempt, kind, at, options, end.error)],
    ...end,
  };
  return {
    kind,
    dueAt: 0,
    ...(end.error && { error: end.error }),
    frame: frame(attempt, kind, at, 0, jsonBytes(detail), input, output),
  };
}

function unfinished(
  attempt: Attempt,
  kind: OutcomeKind,
  at: number,
  dueAt: number,
  options: OutcomeOptions,
  error: ErrorRecord | undefined,
): StoredOutcome {
  const detail = jsonBytes({ attempt: record(attempt, kind, at, options, error) });
  return { kind, dueAt, ...(error && { error }), frame: frame(attempt, kind, at, dueAt, detail, noBytes, noBytes) };
}

function record(
  attempt: Attempt,
  outcome: OutcomeKind,
  endedAt: number,
  options: OutcomeOptions,
  error: ErrorRecord | undefined,
): AttemptRecord {
  const { attempt: number, turn } = attempt.assignment;
  return {
    attempt: number,
    turn,
    worker: options.worker,
    startedAt: attempt.startedAt,
    endedAt,
    outcome,
    ...(error && { error }),
  };
}

function frame(
  attempt: Attempt,
  kind: OutcomeKind,
  at: number,
  dueAt: number,
  detail: Uint8Array,
  input: Uint8Array,
  output: Uint8Array,
): Uint8Array {
  const { key, turn, attempt: number, origin } = attempt.assignment;
  return encodeOutcomeFrame({ kind, key, turn, attempt: number, origin, at, dueAt, detail, input, output });
}

/** A history of long stacks must not outgrow an entry. */
function shorten(error: ErrorRecord): ErrorRecord {
  const message = error.message.length > 4_000 ? `${error.message.slice(0, 4_000)}…` : error.message;
  return { ...error, message, ...(error.stack !== undefined && { stack: error.stack.slice(0, 2_000) }) };
}
