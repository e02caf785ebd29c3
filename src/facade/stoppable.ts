/** Something started that can be stopped. */
export interface Stoppable {
  /** Closes everything; resolves when done. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}
