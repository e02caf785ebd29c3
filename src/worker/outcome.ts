// From a verdict to the outcome that is stored: a retry, or a final one with the whole story of the run.

import type { Parked } from "../domain/durable.ts";
import type { ErrorRecord } from "../domain/error-record.ts";
import { PayloadTooLarge } from "../domain/errors.ts";
import { retryDelayMs } from "../domain/retry.ts";
import type { AttemptRecord, OutcomeKind } from "../domain/run.ts";
import { errorRecordOf, toText } from "../domain/thrown.ts";
import { sealError, sealOutput } from "../sealing/sealed.ts";
import type { Vault } from "../sealing/vault.ts";
import { jsonBytes, mostBytes, noBytes } from "../wire/bytes.ts";
import { isLarge } from "../wire/carried-input.ts";
import { leanDetails } from "../wire/lean-story.ts";
import { encodeOutcomeFrame, frameHead, type OutcomeFrame } from "../wire/outcome-entry.ts";
import { encodeParked } from "../wire/parked.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { Attempt } from "./attempt.ts";
import { shorten, shortened } from "./short-error.ts";
import type { Verdict } from "./verdict.ts";

export interface OutcomeOptions {
  readonly worker: string;
  /** Bytes of the largest message that the server accepts. */
  readonly maxPayload: number;
  readonly random: () => number;
  readonly vault?: Vault | undefined;
}

export interface StoredOutcome {
  readonly kind: OutcomeKind;
  readonly frame: Uint8Array;
  /** The error as it was thrown. In the frame it is sealed where encryption is on. */
  readonly error?: ErrorRecord;
  readonly dueAt: number;
}

/** What an entry and its headers need around a frame. Units: bytes */
const entryBytes = 256;
/** What may stand beside an output without a mention in the message that this is too large. Units: bytes */
const briefStory = 1_024;

/** Decides what happens to the run, by the task's policy. The frame always fits into its own entry. Never throws. */
export function outcomeOf(attempt: Attempt, verdict: Verdict, at: number, options: OutcomeOptions): StoredOutcome {
  const ending = new Ending(attempt, at, options);
  try {
    return ending.decided(verdict);
  } catch (problem) {
    return ending.failed(errorRecordOf(problem), true); // a run without an outcome would never end
  }
}

interface End {
  readonly error?: ErrorRecord;
  readonly reason?: string;
}

/** An attempt that has its verdict. */
class Ending {
  readonly #attempt: Attempt;
  readonly #at: number;
  readonly #options: OutcomeOptions;

  constructor(attempt: Attempt, at: number, options: OutcomeOptions) {
    this.#attempt = attempt;
    this.#at = at;
    this.#options = options;
  }

  decided(verdict: Verdict): StoredOutcome {
    if (verdict.kind === "completed") return this.#completed(verdict.output);
    if (verdict.kind === "cancelled") return this.#final("cancelled", { reason: shortened(verdict.reason) });
    // A fenced attempt's outcome is not stored; if it were, it could not end a run.
    if (verdict.kind === "returned" || verdict.kind === "fenced") return this.#unfinished("returned", 0);
    if (verdict.kind === "parked") return this.#parked(verdict.parked);
    // Stored as if it had not been tried: a run that asks for more time a thousand times must not grow.
    if (verdict.kind === "later") return this.#stored("returned", { dueAt: this.#at + verdict.ms });
    return this.failed(errorRecordOf(verdict.error), verdict.isFinal);
  }

  failed(error: ErrorRecord, isFinal: boolean): StoredOutcome {
    const { task, assignment } = this.#attempt;
    const { vault, random } = this.#options;
    const short = shorten(error);
    const told = vault === undefined ? short : sealError(vault, assignment.key, short);
    const isLast = isFinal || assignment.attempt > task.retry.limit;
    if (isLast) return { ...this.#final("failed", { error: told }), error: short };
    const dueAt = this.#at + retryDelayMs(task.retry, assignment.attempt, random);
    return { ...this.#unfinished("retry", dueAt, told), error: short };
  }

  #completed(value: unknown): StoredOutcome {
    const what = `the output of task "${this.#attempt.task.name}"`;
    const { maxPayload, vault } = this.#options;
    let output: Uint8Array;
    try {
      output = jsonBytes(value);
      if (vault !== undefined) output = sealOutput(vault, this.#attempt.assignment.key, output);
    } catch (cause) {
      return this.failed({ name: "TypeError", message: `${what} cannot be written as JSON: ${toText(cause)}` }, true);
    }
    const outcome = this.#final("completed", {}, output);
    if (outcome.frame.length + entryBytes <= maxPayload) return outcome;
    const story = outcome.frame.length - frameHead - output.length;
    const beside = story > briefStory ? `, with the metadata and the history of its run (${story} bytes),` : "";
    // An output that is too large by itself is named by its own size.
    const isAlone = beside === "" && output.length > maxPayload;
    const bytes = isAlone ? output.length : output.length + story;
    const { message } = new PayloadTooLarge({ what: what + beside, bytes, limit: maxPayload });
    return this.failed({ name: "PayloadTooLarge", message }, true);
  }

  /**
   * The first of these that fits: everything; a shorter history; no input; and, for a run that did not complete, at least how it ended. A run
   * whose end cannot be stored would never end. A large input is never included: it stays in the run's entry.
   */
  #final(kind: OutcomeKind, end: End, output: Uint8Array = noBytes): StoredOutcome {
    const { assignment, storedHistory: history, metadata, terms, startedAt } = this.#attempt;
    const { key, createdAt, priority, input } = assignment;
    const carried = isLarge(input) ? noBytes : input;
    const isPlain = kind === "completed" && history.length === 0 && metadata === undefined && terms === undefined;
    const plain = isPlain ? { createdAt, priority, startedAt } : undefined;
    const room = this.#options.maxPayload - entryBytes - frameHead - mostBytes(key) - output.length;
    let story = noBytes;
    let fits = carried.length <= room;
    for (const detail of isPlain ? [] : leanDetails(kind, this.#detail(kind, end))) {
      story = jsonBytes(detail);
      fits = story.length + carried.length <= room;
      if (fits) break;
    }
    const inputIsGone = !fits;
    const kept = fits ? carried : noBytes;
    return this.#stored(kind, { detail: story, output, plain, input: kept, inputStays: isLarge(input), inputIsGone });
  }

  #parked(parked: Parked): StoredOutcome {
    const detail = encodeParked(parked);
    if (detail.length < this.#options.maxPayload / 2) return this.#stored("parked", { detail });
    const message = `it waits for ${parked.waits.length} things at once, which is too many`;
    return this.failed({ name: "RangeError", message }, true);
  }

  #unfinished(kind: OutcomeKind, dueAt: number, error?: ErrorRecord): StoredOutcome {
    return this.#stored(kind, { dueAt, detail: jsonBytes({ attempt: this.#record(kind, error) }) });
  }

  #detail(kind: OutcomeKind, end: End): FinalDetail {
    const { assignment, metadata, terms, storedHistory: history } = this.#attempt;
    const { createdAt, priority } = assignment;
    const attempts = [...history, this.#record(kind, end.error)];
    return { createdAt, priority, ...(metadata && { metadata }), ...(terms && { terms }), attempts, ...end };
  }

  #record(outcome: OutcomeKind, error: ErrorRecord | undefined): AttemptRecord {
    const { assignment, startedAt } = this.#attempt;
    const { attempt, turn } = assignment;
    const { worker } = this.#options;
    return { attempt, turn, worker, startedAt, endedAt: this.#at, outcome, ...(error && { error }) };
  }

  #stored(kind: OutcomeKind, given: Partial<OutcomeFrame>): StoredOutcome {
    const { key, turn, attempt, origin } = this.#attempt.assignment;
    const { dueAt = 0, detail = noBytes, input = noBytes, output = noBytes, plain, inputStays, inputIsGone } = given;
    // Field by field: spreading makes an outcome half as expensive again.
    const frame = encodeOutcomeFrame({
      kind,
      key,
      turn,
      attempt,
      origin,
      at: this.#at,
      dueAt,
      detail,
      plain,
      input,
      inputStays,
      inputIsGone,
      output,
    });
    return { kind, dueAt, frame };
  }
}
