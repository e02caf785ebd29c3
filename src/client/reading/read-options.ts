// Apart from its reader: what users see of a package must not lead to the types of another one.
/** What to read of a run's logs or stream. */
export interface ReadOptions {
  /**
   * Which attempts: all, one after another; one, by its number; or only the newest: then earlier ones are
   * skipped, and if a retry begins while you read, its output follows that of the previous attempt. @default "all"
   */
  readonly attempt?: "all" | "newest" | number | undefined;
  /** False: ends with what is there now. @default true */
  readonly follow?: boolean | undefined;
  /** Stops reading when it is aborted, without an error. */
  readonly signal?: AbortSignal | undefined;
}
