// What whoever waits for a run gets instead of its output: how it ended, or why nobody waits any more.
import type { ErrorRecord } from "../error-record.ts";
import type { AttemptRecord } from "../run.ts";
import { errorFrom } from "../thrown.ts";
import { type Tagged, tagged } from "./tagged.ts";

const RunFailedBase: Tagged<"RunFailed"> = tagged("RunFailed");
/**
 * The run ended as `failed`; `error` is what the last attempt threw, `attempts` the latest ones (up to about 100). Its `cause` is that error made again, so
 * that what prints the failure shows the lines of the task.
 */
export class RunFailed extends RunFailedBase<{
  readonly key: string;
  readonly error: ErrorRecord;
  readonly attempts: readonly AttemptRecord[];
}> {
  constructor(failure: {
    readonly key: string;
    readonly error: ErrorRecord;
    readonly attempts: readonly AttemptRecord[];
  }) {
    super(failure);
    const value = errorFrom(failure.error);
    Object.defineProperty(this, "cause", { value, configurable: true, writable: true, enumerable: false });
  }

  override get message(): string {
    // Of a run that was tried for ever, the first attempts are not kept; lost ones have no number of their own.
    const count = Math.max(this.attempts.length, this.attempts.at(-1)?.attempt ?? 0);
    const tries = count > 1 ? ` after ${count} attempts` : "";
    return `run ${this.key} failed${tries}: ${this.error.name}: ${this.error.message}`;
  }
}

const RunCancelledBase: Tagged<"RunCancelled"> = tagged("RunCancelled");
/** The run ended as `cancelled`: by a caller, or by its schedule timeout. */
export class RunCancelled extends RunCancelledBase<{ readonly key: string; readonly reason: string }> {
  override get message(): string {
    return `run ${this.key} was cancelled: ${this.reason}`;
  }
}

const RunErasedBase: Tagged<"RunErased"> = tagged("RunErased");
/** The run has ended, and what was known of it was erased. */
export class RunErased extends RunErasedBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} was erased: it has ended, and its input, output and log are not kept`;
  }
}

const ResultNotAwaitedBase: Tagged<"ResultNotAwaited"> = tagged("ResultNotAwaited");
/** The caller stopped waiting for the output: its time was over, its signal aborted or its client was closed. The run goes on. */
export class ResultNotAwaited extends ResultNotAwaitedBase<{
  readonly key: string;
  readonly reason: string;
  /** What the signal was aborted with. */
  readonly cause?: unknown;
}> {
  override get message(): string {
    return `stopped waiting for run ${this.key}: ${this.reason}; the run itself continues`;
  }
}

const EnqueueNotConfirmedBase: Tagged<"EnqueueNotConfirmed"> = tagged("EnqueueNotConfirmed");
/** The caller stopped waiting before the store had confirmed the run: it may be stored all the same, also later, and then it is executed. */
export class EnqueueNotConfirmed extends EnqueueNotConfirmedBase<{
  readonly task: string;
  /** The run's; undefined when nothing was sent yet, and so nothing will be stored. */
  readonly id: string | undefined;
  readonly reason: string;
  /** What the signal was aborted with. */
  readonly cause?: unknown;
}> {
  override get message(): string {
    if (this.id === undefined) return `no run of task "${this.task}" was stored: ${this.reason}`;
    return `run ${this.task}/${this.id} is not confirmed to be stored: ${this.reason}; it may still be stored when the server answers. To try again, use the same id`;
  }
}
