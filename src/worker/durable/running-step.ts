// One step of a durable run, from its first attempt in this turn until it has a result for the journal or its retries are used up.
import { formatDuration } from "../../domain/duration.ts";
import { type RetryPolicy, retryDelayMs } from "../../domain/retry.ts";
import type { StepScope } from "../../domain/step.ts";
import { errorRecordOf, readProperty } from "../../domain/thrown.ts";
import { utf8 } from "../../wire/bytes.ts";
import type { DeliveryForm } from "../../wire/journal-message.ts";
import { failureOf } from "../verdict.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";
import { encodeError } from "./stored-error.ts";
import type { TurnParts } from "./turn-parts.ts";
import { insideOf } from "./windows.ts";

/** How a step is tried. Units: milliseconds */
export interface StepTerms {
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
}

/** A step waits here for its next attempt if the pause is not longer than this. Units: milliseconds */
const inPlaceMs = 30_000;

/** Takes the final result of a step; `form` is undefined if the step was given up. */
type Give = (form: DeliveryForm | undefined, value: string) => void;

export class RunningStep {
  readonly #frame: Frame;
  readonly #op: Op;
  readonly #parts: TurnParts;
  readonly #give: Give;
  /** The number of the attempt that executes. */
  #number = 0;
  #controller: AbortController | undefined;
  #stopped: { readonly reason: unknown; readonly isGivenUp: boolean } | undefined;
  #timer: unknown;
  /** The error after which the step waits for its next attempt. */
  #pausedAfter: { readonly error: unknown; readonly dueAt: number } | undefined;
  #isOver = false;

  constructor(frame: Frame, op: Op, parts: TurnParts, give: Give) {
    this.#frame = frame;
    this.#op = op;
    this.#parts = parts;
    this.#give = give;
    op.abort = (reason) => this.abort(reason);
  }

  attempt(): void {
    const number = ++this.#number;
    this.#pausedAfter = undefined;
    this.#controller = undefined;
    this.#stopped = undefined;
    const { timeoutMs } = this.#terms;
    const { clock } = this.#parts.host;
    this.#timer = clock.set(() => this.#stop(timedOut(this.#op.name, timeoutMs)), timeoutMs);
    const isThis = () => !this.#isOver && number === this.#number && this.#pausedAfter === undefined;
    void this.#call().then(
      (value) => isThis() && this.#returned(value),
      (error) => isThis() && this.#threw(this.#stopped?.reason ?? error),
    );
  }

  abort(reason: unknown): void {
    if (this.#isOver) return;
    if (this.#pausedAfter !== undefined) this.#end("error", encodeError(this.#pausedAfter.error));
    else this.#stop(reason);
  }

  giveUp(reason: unknown): void {
    this.leave();
    this.#stop(reason, true);
  }

  leave(): void {
    if (this.#pausedAfter !== undefined) this.#endsUntil(this.#pausedAfter.dueAt, this.#pausedAfter.error);
  }

  forget(reason: unknown): void {
    this.#isOver = true;
    this.#parts.host.clock.clear(this.#timer);
    this.#controller?.abort(reason);
  }

  get #terms(): StepTerms {
    return this.#op.detail.terms as StepTerms;
  }

  /** The largest result: two of them fit into a message. Units: bytes */
  get #largestResult(): number {
    return Math.floor(this.#parts.host.journal.largestMessage / 2);
  }

  #call(): Promise<unknown> {
    const { detail, inContext, failures, ordinal } = this.#op;
    const step: StepScope = Object.defineProperty(
      { id: `${this.#frame.id}.${this.#frame.lap}.${ordinal}`, attempt: failures + 1 },
      "signal",
      { get: () => this.#signal(), enumerable: true },
    ) as StepScope;
    const inside = { frame: this.#frame, step };
    return inContext!(() => insideOf(inside, async () => detail.start!(step)));
  }

  /** Created on first use: few steps need it. */
  #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#stopped !== undefined) this.#controller.abort(this.#stopped.reason);
    return this.#controller.signal;
  }

  /** Tells the code of the step to stop. It may end by itself within the grace period. */
  #stop(reason: unknown, isGivenUp = false): void {
    if (this.#isOver || (this.#stopped !== undefined && !isGivenUp)) return;
    this.#stopped = { reason, isGivenUp };
    const { clock, graceMs } = this.#parts.host;
    clock.clear(this.#timer);
    const number = this.#number;
    this.#timer = clock.set(() => {
      if (!this.#isOver && number === this.#number) this.#threw(reason);
    }, graceMs);
    this.#controller?.abort(reason);
  }

  #returned(value: unknown): void {
    const { name } = this.#op;
    if (isTimeout(this.#stopped?.reason)) return void this.#threw(this.#stopped!.reason);
    if (typeof value === "object" && value !== null && "~effect/Effect" in value)
      return void this.#refused(new TypeError(`step ${name} returned an Effect; a step is an async method`));
    let json: string;
    try {
      json = JSON.stringify(value) ?? "";
    } catch (cause) {
      const why = (cause as Error).message;
      return void this.#refused(new TypeError(`step ${name} returned what JSON cannot hold: ${why}`, { cause }));
    }
    const most = this.#largestResult;
    const bytes = json.length * 3 <= most ? 0 : utf8(json).length;
    if (bytes > most) return void this.#refused(tooLarge(name, bytes, most));
    this.#end("value", json);
  }

  /** Fails the step for good: a retry would give a wrong result again. */
  #refused(error: unknown): void {
    this.#end("error", this.#fitting(error));
  }

  #threw(error: unknown): void {
    const { host, wish, isLeaving } = this.#parts;
    const { clock } = host;
    clock.clear(this.#timer);
    if (this.#stopped?.isGivenUp === true) return void this.#end(undefined, "");
    const { retry } = this.#terms;
    const failure = failureOf(error, { name: this.#op.name, retry });
    const hasFailed = failure.kind === "failed"; // it may only ask for more time
    if (hasFailed) this.#op.failures += 1;
    const isOut = hasFailed && (failure.isFinal || this.#op.failures > retry.limit);
    if (isOut || wish.isOpen || this.#op.state === "closed") return void this.#end("error", this.#fitting(error));
    const pauseMs = hasFailed ? retryDelayMs(retry, this.#op.failures, () => clock.random()) : failure.ms;
    const dueAt = clock.now() + pauseMs;
    if (pauseMs > inPlaceMs || isLeaving) return void this.#endsUntil(dueAt, error);
    this.#pausedAfter = { error, dueAt };
    this.#timer = clock.set(() => this.attempt(), pauseMs);
  }

  /** Ends the step until it is due again, so that its run can be parked. */
  #endsUntil(dueAt: number, error: unknown): void {
    const told = { failures: this.#op.failures, dueAt, error: errorRecordOf(error).message.slice(0, 1_000) };
    this.#end("retry", JSON.stringify(told));
  }

  /** The error as it is stored: truncated if it would not fit. */
  #fitting(error: unknown): string {
    const json = encodeError(error);
    if (utf8(json).length <= this.#largestResult) return json;
    const { name, message } = errorRecordOf(error);
    return encodeError(Object.assign(new Error(message.slice(0, 4_000)), { name, stack: undefined }));
  }

  #end(form: DeliveryForm | undefined, value: string): void {
    this.#isOver = true;
    this.#parts.host.clock.clear(this.#timer);
    this.#op.abort = undefined;
    this.#give(form, value);
  }
}

function timedOut(name: string, timeoutMs: number): Error {
  const error = new Error(`step ${name} took longer than its timeout of ${formatDuration(timeoutMs)}`);
  error.name = "TimeoutError";
  return error;
}
const isTimeout = (reason: unknown): boolean => readProperty(reason, "name") === "TimeoutError";

const tooLarge = (name: string, bytes: number, most: number): Error =>
  Object.assign(
    new Error(
      `the result of step ${name} is ${bytes} bytes, but a journal record holds at most ${most}; store large data elsewhere and return a reference`,
    ),
    { name: "PayloadTooLarge" },
  );
