/** The part of an error that is sent and stored. */
export interface ErrorRecord {
  /** The error's name, for example `TypeError`. */
  readonly name: string;
  /** The error's message. */
  readonly message: string;
  /** The first lines of its stack. */
  readonly stack?: string;
  /** False for an error that fails the run at once. */
  readonly retryable?: boolean;
  /** Its `cause`, truncated. */
  readonly cause?: ErrorRecord;
  /** The first of the errors in an AggregateError. */
  readonly errors?: readonly ErrorRecord[];
}
