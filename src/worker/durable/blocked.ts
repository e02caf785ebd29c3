// How a run is parked that its worker cannot continue because the code does not match the journal, or because a key is missing.
import type { Parked } from "../../domain/durable.ts";
import { DecryptionFailed, StoreUnavailable } from "../../domain/errors.ts";

const firstPauseMs = 5_000;
const longestPauseMs = 300_000;
const noJournal: Parked = { lap: 1, ops: 0, waits: [], cursors: {}, journalSeq: 0 };

export const isKeyMissing = (error: unknown): error is DecryptionFailed => error instanceof DecryptionFailed;

/** Whether the error may pass by itself, so that the run must not fail with it. */
export const mayPass = (error: unknown): boolean => isKeyMissing(error) || error instanceof StoreUnavailable;

/** Parked until a worker with other code is there, or one that registers later. */
export function misfit(before: Parked = noJournal, reason: string, code: string, now: number): Parked {
  const codes = [...new Set([...(before.blocked?.codes ?? []), code])];
  return { ...before, blocked: { reason, codes, at: now } };
}

/** Parked for a pause, after which any worker may have the key. Each pause is twice as long as the one before. */
export function keyless(before: Parked = noJournal, reason: string, now: number): Parked {
  const { at = now, again = now } = before.blocked ?? {};
  const pauseMs = Math.min(Math.max(2 * (again - at), firstPauseMs), longestPauseMs);
  return { ...before, blocked: { reason, codes: [], at: now, again: now + pauseMs } };
}
