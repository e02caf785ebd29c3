// The journals of durable runs as their worker sees them: one list of messages per run, appended by compare-and-set.

import type { JournalName } from "../../domain/durable.ts";

export interface StoredRecord {
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface Journal {
  /**
   * Appends one message after the one with sequence `expect` (0: the first). With `replaces` all before it are gone at once. Returns its
   * sequence, or undefined if another one is the last.
   *
   * Fails: QueueFull if the journal has no room, StoreUnavailable, PermissionDenied; it may still be stored
   */
  append(name: JournalName, message: Uint8Array, expect: number, replaces: boolean): Promise<number | undefined>;
  /**
   * All of it, in order, up to the message that was last when asked. With `reaches`, a sequence that the journal has, it may lack newer
   * ones: the next append meets them.
   */
  read(name: JournalName, reaches?: number): Promise<readonly StoredRecord[]>;
  /** Undefined for an empty one. */
  last(name: JournalName): Promise<StoredRecord | undefined>;
  /** Most bytes of a message. */
  readonly largestMessage: number;
}
