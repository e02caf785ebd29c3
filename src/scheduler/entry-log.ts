import { Deque } from "./deque.ts";

export interface EntryPosition {
  readonly seq: number;
  readonly key: string;
}

/**
 * Where the run entries of a task stand in the stream, oldest first, so that garbage can be purged by prefix.
 * Conservative: entries that another engine purged or replaced are still listed until they are met.
 */
export class EntryLog {
  readonly positions = new Deque<EntryPosition>();
  /** Entries of finished runs since the last purge; an estimate that decides only when to look. */
  garbage = 0;
  /** Everything below is garbage, and everything below `purgedTo` is known to be gone. */
  clearTo = 0;
  purgedTo = 0;
  isPurging = false;
  /** Number of positions at which the list is worth looking through. */
  pruneAt = 4_096;

  push(seq: number, key: string): void {
    this.positions.push({ seq, key });
  }
}
