// Where what durable runs take in is kept, as their worker sees it: one list of messages a run, appended by compare-and-set.

export interface JournalName {
  /** `<task>/<id>` */
  readonly key: string;
  /** So that no later run of that id has the same journal. */
  readonly origin: number;
}

export interface StoredRecord {
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface Journal {
  /**
   * Appends one message behind that of the sequence `expect` (0: the first one). With `replaces` all before it are gone at once. Returns its
   * sequence, or undefined when another one is the last.
   *
   * Fails: QueueFull when the journal has no room, StoreUnavailable, PermissionDenied; it may be stored all the same
   */
  append(name: JournalName, message: Uint8Array, expect: number, replaces: boolean): Promise<number | undefined>;
  /** All of it, in order, to what was the last one when it was asked. */
  read(name: JournalName): Promise<readonly StoredRecord[]>;
  /** Undefined for an empty one. */
  last(name: JournalName): Promise<StoredRecord | undefined>;
  /** Bytes that a message may have. */
  readonly largestMessage: number;
}
