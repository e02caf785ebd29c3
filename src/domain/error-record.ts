/** What of an error travels and is stored. */
export interface ErrorRecord {
  /** The error's name, for example `TypeError`. */
  readonly name: string;
  /** The error's message. */
  readonly message: string;
  /** Its first lines. */
  readonly stack?: string;
  /** False for an error that fails the run at once. */
  readonly retryable?: boolean;
  /** What its `cause` was, in bounds. */
  readonly cause?: ErrorRecord;
  /** Those inside an AggregateError, the first of them. */
  readonly errors?: readonly ErrorRecord[];
}
