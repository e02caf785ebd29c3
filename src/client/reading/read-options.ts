// The options of reading a transcript. In a file of their own, since the types that users see must not lead to those of another package.
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
