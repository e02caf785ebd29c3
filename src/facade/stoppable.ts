/** What a program has started and may stop. */
export interface Stoppable {
  /** Closes everything; resolves when nothing is left. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}
