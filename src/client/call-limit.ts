// The limits of a call: what ends the caller's wait, and the error that says what has become of the run.
import { type DurationInput, formatDuration, parseDuration } from "../domain/duration.ts";
import { EnqueueNotConfirmed, ResultNotAwaited } from "../domain/errors.ts";
import { keyOf } from "../domain/run.ts";
import { toText } from "../domain/thrown.ts";
import { deferred } from "../runtime/deferred.ts";
import { afterMs } from "../runtime/long-timer.ts";

/** When a caller stops waiting. */
export interface CallLimits {
  /** How long the whole call may take. Ends the wait, not the run. No limit by default. */
  readonly timeout?: DurationInput | undefined;
  /** Ends the wait, not the run, when it aborts. If it is already aborted, the call rejects with its reason and stores nothing. */
  readonly signal?: AbortSignal | undefined;
}

type GivenUp = (reason: string, cause: unknown) => void;

/** Calls back once, when the time is over or the signal aborts. Returns a function that calls this off. */
export function whenGivenUp({ timeout, signal }: CallLimits, what: string, act: GivenUp): () => void {
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, "timeout");
  signal?.throwIfAborted();
  const aborted = () => act(`the signal was aborted: ${toText(signal?.reason)}`, signal?.reason);
  signal?.addEventListener("abort", aborted, { once: true });
  const callOff =
    timeoutMs === undefined
      ? () => {}
      : afterMs(timeoutMs, () => act(`no ${what} after ${formatDuration(timeoutMs)}`, undefined));
  return () => {
    signal?.removeEventListener("abort", aborted);
    callOff();
  };
}

/** One call of `run` or `enqueue` that may be given up at any step. */
export class CallLimit {
  readonly #task: string;
  readonly #over = deferred<never>();
  readonly #end: () => void;
  #id: string | undefined;
  #isStored = false;
  #giveUp: ((error: Error) => void) | undefined;
  #error: Error | undefined;

  constructor(limits: CallLimits, task: string, what: string) {
    this.#task = task;
    this.#over.promise.catch(() => {});
    this.#end = whenGivenUp(limits, what, (reason, cause) => {
      this.#error = this.#errorOf(reason, cause);
      this.#over.reject(this.#error);
      this.#giveUp?.(this.#error);
    });
  }

  /** Waits for the work, but no longer than the limits allow. */
  async around<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#over.promise]);
    } finally {
      this.#end();
    }
  }

  /** To be called before anything is stored: a call that was given up by then stores nothing. */
  assertOpen(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** The run is on its way into the store; `giveUp` ends the wait for its output. */
  storing(id: string, stored: Promise<unknown>, giveUp?: (error: Error) => void): void {
    this.#id = id;
    this.#giveUp = giveUp;
    const isStored = () => {
      this.#isStored = true;
    };
    stored.then(isStored, () => {});
  }

  #errorOf(reason: string, cause: unknown): Error {
    const told = cause === undefined ? {} : { cause };
    if (this.#id === undefined || !this.#isStored)
      return new EnqueueNotConfirmed({ task: this.#task, id: this.#id, reason, ...told });
    return new ResultNotAwaited({ key: keyOf(this.#task, this.#id), reason, ...told });
  }
}
