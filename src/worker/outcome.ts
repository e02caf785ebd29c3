// From a verdict to the outcome that is stored: retried or final, with the whole story of the run.

import type { ErrorRecord } from "../domain/error-record.ts";
import { PayloadTooLarge } from "../domain/errors.ts";
import { retryDelayMs } from "../domain/retry.ts";
import { type AttemptRecord, isFinal, type OutcomeKind } from "../domain/run.ts";
import { errorRecordOf, toText } from "../domain/thrown.ts";
import { jsonBytes, mostBytes, noBytes } from "../wire/bytes.ts";
import { isLarge } from "../wire/carried-input.ts";
import { barestDetail, leanDetails } from "../wire/lean-story.ts";
import { encodeOutcomeFrame, frameHead, type PlainStory } from "../wire/outcome-entry.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { Attempt, Verdict } from "./attempt.ts";
import { shorten, shortened } from "./short-error.ts";

export interface OutcomeOptions {
  readonly worker: string;
  /** Bytes of the largest message that the server takes. */
  readonly maxPayload: number;
  readonly random: () => number;
}

export interface StoredOutcome {
  readonly kind: OutcomeKind;
  readonly frame: Uint8Array;
  readonly error?: ErrorRecord;
  readonly dueAt: number;
}

/** Bytes that an entry and its headers take beside the frame. */
const entryBytes = 256;
/** Bytes beside an output that nobody need hear of. */
const briefStory = 1_024;

/** Decides what becomes of the run, by the task's own policy. The frame always fits into an entry of its own. Never throws. */
export function outcomeOf(attempt: Attempt, verdict: Verdict, at: number, options: OutcomeOptions): StoredOutcome {
  try {
    return decided(attempt, verdict, at, options);
  } catch (problem) {
    return failed(attempt, errorRecordOf(problem), true, at, options); // a run without an outcome would never end
  }
}

function decided(attempt: Attempt, verdict: Verdict, at: number, options: OutcomeOptions): StoredOutcome {
  if (verdict.kind === "completed") return completed(attempt, verdict.output, at, options);
  if (verdict.kind === "cancelled")
    return final(attempt, "cancelled", at, options, { reason: shortened(verdict.reason) });
  // What a fenced attempt leaves is not stored; if it were, it could end no run.
  if (verdict.kind === "returned" || verdict.kind === "fenced")
    return unfinished(attempt, "returned", at, 0, options, undefined);
  if (verdict.kind === "later") return later(attempt, at, at + verdict.ms);
  return failed(attempt, errorRecordOf(verdict.error), verdict.isFinal, at, options);
}

function completed(attempt: Attempt, value: unknown, at: number, options: OutcomeOptions): StoredOutcome {
  const what = `the output of task "${attempt.task.name}"`;
  let output: Uint8Array;
  try {
    output = jsonBytes(value);
  } catch (cause) {
    const error = { name: "TypeError", message: `${what} cannot be written as JSON: ${toText(cause)}` };
    return failed(attempt, error, true, at, options);
  }
  const outcome = final(attempt, "completed", at, options, {}, output);
  if (outcome.frame.length + entryBytes <= options.maxPayload) return outcome;
  const story = outcome.frame.length - frameHead - output.length;
  const beside = story > briefStory ? `, with the metadata and the history of its run (${story} bytes),` : "";
  // An output that is too large by itself is named by its own size.
  const isAlone = beside === "" && output.length > options.maxPayload;
  const bytes = isAlone ? output.length : output.length + story;
  const { message } = new PayloadTooLarge({ what: what + beside, bytes, limit: options.maxPayload });
  return failed(attempt, { name: "PayloadTooLarge", message }, true, at, options);
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

interface End {
  readonly error?: ErrorRecord;
  readonly reason?: string;
}

/**
 * The first of these that fits: everything; a leaner history; no input; and of a run that did not complete how it ended, at least. A run
 * whose end cannot be stored would never end. A large input is not there: it stays in the run's entry.
 */
function final(
  attempt: Attempt,
  kind: OutcomeKind,
  at: number,
  options: OutcomeOptions,
  end: End,
  output: Uint8Array = noBytes,
): StoredOutcome {
  const { key, createdAt, priority, input } = attempt.assignment;
  const carried = isLarge(input) ? noBytes : input;
  const isPlain =
    kind === "completed" &&
    attempt.history.length === 0 &&
    attempt.metadata === undefined &&
    attempt.terms === undefined;
  const plain = isPlain ? { createdAt, priority, startedAt: attempt.startedAt } : undefined;
  const room = options.maxPayload - entryBytes - frameHead - mostBytes(key) - output.length;
  let story = noBytes;
  let fits = carried.length <= room;
  for (const detail of isPlain ? [] : stories(detailOf(attempt, kind, at, options, end), kind)) {
    story = jsonBytes(detail);
    fits = story.length + carried.length <= room;
    if (fits) break;
  }
  return {
    kind,
    dueAt: 0,
    ...(end.error && { error: end.error }),
    frame: frame(attempt, kind, at, 0, story, fits ? carried : undefined, output, plain),
  };
}

/** From the fullest to the barest. */
function* stories(detail: FinalDetail, kind: OutcomeKind): Generator<FinalDetail> {
  yield detail;
  for (const lean of leanDetails) yield lean(detail);
  if (kind !== "completed") yield barestDetail(detail);
}

function detailOf(attempt: Attempt, kind: OutcomeKind, at: number, options: OutcomeOptions, end: End): FinalDetail {
  const { createdAt, priority } = attempt.assignment;
  return {
    createdAt,
    priority,
    ...(attempt.metadata && { metadata: attempt.metadata }),
    ...(attempt.terms && { terms: attempt.terms }),
    attempts: [...attempt.history, record(attempt, kind, at, options, end.error)],
    ...end,
  };
}

/** As if it had not been tried: a run that asks for more time a thousand times must not grow by it. */
function later(attempt: Attempt, at: number, dueAt: number): StoredOutcome {
  return { kind: "returned", dueAt, frame: frame(attempt, "returned", at, dueAt, noBytes, noBytes, noBytes) };
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
  /** Undefined: there is no room for it. */
  input: Uint8Array | undefined,
  output: Uint8Array,
  plain?: PlainStory,
): Uint8Array {
  const { key, turn, attempt: n, origin } = attempt.assignment;
  const inputStays = isFinal(kind) && isLarge(attempt.assignment.input);
  return encodeOutcomeFrame({
    kind,
    key,
    turn,
    attempt: n,
    origin,
    at,
    dueAt,
    detail,
    input: input ?? noBytes,
    inputStays,
    inputIsGone: input === undefined,
    output,
    plain,
  });
}
