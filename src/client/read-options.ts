/** What of a run's transcript is read. */
export interface ReadOptions {
  /**
   * Whose words: of all attempts, each after the other; of one attempt, by its number; or of the newest only: then earlier ones are
   * passed over, and when a retry begins while you read, its words follow those of the attempt before. @default "all"
   */
  readonly attempt?: "all" | "newest" | number | undefined;
  /** False: ends with what has been said by now. @default true */
  readonly follow?: boolean | undefined;
  /** Ends the reading when it is aborted, without an error. */
  readonly signal?: AbortSignal | undefined;
}
