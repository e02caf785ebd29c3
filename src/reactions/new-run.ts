// The runs of reactions: what to store under the id that follows from the cause.
import type { ErrorRecord } from "../domain/error-record.ts";
import type { FailurePayload } from "../domain/failure.ts";
import type { TickCause } from "../domain/reaction.ts";
import { type AttemptRecord, splitKey } from "../domain/run.ts";

export interface NewRun {
  readonly createdAt: number;
  readonly scheduleTimeoutMs: number | null | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly input: unknown;
}

export const runOfTick = ({ cron, at, input }: TickCause, createdAt: number): NewRun => ({
  createdAt,
  scheduleTimeoutMs: undefined,
  metadata: { "natchet.cron": cron, "natchet.tick": new Date(at).toISOString() },
  input,
});

/** How a run failed, according to its outcome. */
export interface Failed {
  readonly at: number;
  readonly createdAt: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly error?: ErrorRecord;
  readonly attempts: readonly AttemptRecord[];
}

export function runOfFailure(
  key: string,
  outcome: Failed,
  input: unknown,
): NewRun & { readonly input: FailurePayload } {
  const { at, createdAt, metadata = {}, error = { name: "Error", message: "unknown" }, attempts } = outcome;
  const failed = { ...splitKey(key), metadata, error, attempts };
  return {
    createdAt: Math.max(at, createdAt),
    scheduleTimeoutMs: null,
    metadata: { ...metadata, "natchet.failed": key },
    input: { input, failed },
  };
}
