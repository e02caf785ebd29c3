/** What a durable run has received at one of its ops. Units: epoch milliseconds */
export interface TimelineEntry {
  /** Which op of the lap, counted from 0; absent for a cancellation that met no open op. */
  readonly op?: number;
  /** What it was. */
  readonly kind: "step" | "sleep" | "signal" | "children";
  /** The step's method, the signal's name, the task of the children; empty for a sleep. */
  readonly name: string;
  /** Its outcome: `retry` is a step that failed and is due again, `cancelled` one that a wish to cancel has ended. */
  readonly outcome: "value" | "error" | "retry" | "cancelled";
  /** When that was. */
  readonly at: number;
  /** The turn in which it was received. Turns grow whenever the run parks, or loses its worker. */
  readonly turn: number;
  /** The value or the error that the code received. */
  readonly value?: unknown;
  /** Id of the key with which the value is encrypted, for a client without keys. */
  readonly encryptedWith?: string;
}

/** What a durable run has done in its current lap, from its journal. */
export interface Timeline {
  /** Counted from 1: `ctx.restart` begins the next one, and forgets everything before. */
  readonly lap: number;
  /** What the code received, in that order. */
  readonly entries: readonly TimelineEntry[];
}
