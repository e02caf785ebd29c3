// The journals of durable runs as their worker sees them: one list of messages per run, appended by compare-and-set.

import type { JournalName } from "../../domain/durable.ts";

export interface StoredRecord {
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface Journal {
  /**
   * Appends a message after the one with sequence `expect` (0: as the first). With `replaces`, all messages before it are removed at once.
   * Returns the sequence of the new message, or undefined if the last one is not the expected one.
   *
   * Fails: QueueFull if the journal has no room, StoreUnavailable, PermissionDenied; the message may be stored all the same
   */
  append(name: JournalName, message: Uint8Array, expect: number, replaces: boolean): Promise<number | undefined>;
  /**
   * All messages in order, up to the one that is the last when this is called. With `reaches`, the sequence of a message that is known to be
   * stored, newer ones may be missing: the next append is then refused.
   */
  read(name: JournalName, reaches?: number): Promise<readonly StoredRecord[]>;
  /** The last message; undefined for an empty journal. */
  last(name: JournalName): Promise<StoredRecord | undefined>;
  /** Units: bytes */
  readonly largestMessage: number;
}
