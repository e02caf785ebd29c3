// Where a run is parked that its worker cannot continue: its code does not fit, or a key is missing.
import type { Parked } from "../../domain/durable.ts";
import { DecryptionFailed, StoreUnavailable } from "../../domain/errors.ts";

const firstPauseMs = 5_000;
const longestPauseMs = 300_000;
const noJournal: Parked = { lap: 1, ops: 0, waits: [], cursors: {}, journalSeq: 0 };

export const isKeyMissing = (error: unknown): error is DecryptionFailed => error instanceof DecryptionFailed;

/** Why code cannot be called now, which is not the run's fault. */
export const mayPass = (error: unknown): boolean => isKeyMissing(error) || error instanceof StoreUnavailable;

/** Until a worker with other code is there, or one that came later. */
export function misfit(before: Parked = noJournal, reason: string, code: string, now: number): Parked {
  const codes = [...new Set([...(before.blocked?.codes ?? []), code])];
  return { ...before, blocked: { reason, codes, at: now } };
}

/** Any worker may have the key by then; each time in vain the pause doubles. */
export function keyless(before: Parked = noJournal, reason: string, now: number): Parked {
  const { at = now, again = now } = before.blocked ?? {};
  const pauseMs = Math.min(Math.max(2 * (again - at), firstPauseMs), longestPauseMs);
  return { ...before, blocked: { reason, codes: [], at: now, again: now + pauseMs } };
}
