// What a leader has been asked to store: tried until the store has it, or until this engine does not lead any more.
import { PermissionDenied, QueueFull, StoreUnavailable } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";

/** Whether the engine still leads on the state with which something began. */
export interface Term {
  readonly isCurrent: () => boolean;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
const tellEveryMs = 30_000;

/** A store that is away, full or closed to this user comes back: an operator frees space or sets the permission right. */
const isPassing = (error: unknown): boolean =>
  error instanceof StoreUnavailable || error instanceof QueueFull || error instanceof PermissionDenied;

/**
 * Tries `deed` until it succeeds; undefined when the term is over first. It may have happened although it failed, so it must be safe to
 * repeat. Fails: what is no trouble of the store
 */
export async function untilStored<T>(
  term: Term,
  log: Log,
  what: string,
  deed: () => Promise<T>,
): Promise<T | undefined> {
  let toldAt = Number.NEGATIVE_INFINITY;
  for (let pauseMs = firstPauseMs; term.isCurrent(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await deed();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (!term.isCurrent()) return undefined;
      if (performance.now() - toldAt > tellEveryMs) log.warn(`${what} could not be stored yet; retrying`, { error });
      toldAt = performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return undefined;
}
