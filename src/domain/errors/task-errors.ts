// What the code of a task throws to say how its run goes on, and what it is told when it streams too fast.
import { type DurationInput, formatDuration, parseDuration } from "../duration.ts";
import { type Tagged, tagged } from "./tagged.ts";

/** Thrown by a task: the run fails at once, whatever retries are left. */
export class NonRetryableError extends Error {
  override readonly name = "NonRetryableError";
}

/**
 * Thrown by a task that cannot do its work yet: this attempt counts as not made, and the run begins again after the given time,
 * as often as it takes. It keeps its number of attempts and leaves no record in the history.
 *
 * @example
 * ```ts
 * throw new RetryLater("10m", "the report is not ready")
 * ```
 */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  /** Units: milliseconds */
  readonly ms: number;

  constructor(after: DurationInput, reason?: string) {
    const ms = parseDuration(after, "RetryLater");
    super(reason ?? `try again in ${formatDuration(ms)}`);
    this.ms = ms;
  }
}

const StreamTooFastBase: Tagged<"StreamTooFast"> = tagged("StreamTooFast");
/** A task streams faster than its chunks can be stored and does not wait for `ctx.stream`. Units: bytes */
export class StreamTooFast extends StreamTooFastBase<{ readonly key: string; readonly waitingBytes: number }> {
  override get message(): string {
    return `ctx.stream of run ${this.key}: ${this.waitingBytes} bytes are waiting to be stored, so this chunk was dropped; write "await ctx.stream(chunk)" to wait for room`;
  }
}
