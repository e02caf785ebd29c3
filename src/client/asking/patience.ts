import type { DurationInput } from "../../domain/duration.ts";

/** How long a request may take in all. */
export interface Patience {
  /** While no engine leads (a takeover after a crash takes up to ten seconds), the request waits and is repeated. @default "30s" */
  readonly timeout?: DurationInput | undefined;
}

/** A caller that waits longer than this learns why. Units: milliseconds */
export const longMs = 5_000;
