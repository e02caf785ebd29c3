// Patience: how long somebody who asks an engine waits for an answer.
import { type DurationInput, parseDuration } from "../../domain/duration.ts";
import { assertKnownOptions } from "../../domain/known-options.ts";

/** How long a request may take in all. */
export interface Patience {
  /** While no engine leads (a takeover after a crash takes up to ten seconds), the request waits and is repeated. @default "30s" */
  readonly timeout?: DurationInput | undefined;
}

const usualMs = 30_000;
/** A caller that waits longer than this learns why. Units: milliseconds */
export const longMs = 5_000;

/** When patience ends, on the clock of `performance.now`. Fails: TypeError or RangeError for an invalid timeout */
export function deadlineOf(patience: Patience = {}): number {
  assertKnownOptions(patience, { options: ["timeout"], of: "a request", example: '{ timeout: "30s" }' });
  const { timeout } = patience;
  return performance.now() + (timeout === undefined ? usualMs : parseDuration(timeout, "timeout"));
}
