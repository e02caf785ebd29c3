/** What a durable run has taken in at one of its ops. Units: epoch milliseconds */
export interface TimelineEntry {
  /** Which op of the lap, counted from 0; absent of a wish to cancel that met none. */
  readonly op?: number;
  /** What it was. */
  readonly kind: "step" | "sleep" | "signal" | "children";
  /** The step's method, the signal's name, the task of the children; empty for a sleep. */
  readonly name: string;
  /** What came of it: `retry` is a step that failed and is due again, `cancelled` one that a wish to cancel has ended. */
  readonly outcome: "value" | "error" | "retry" | "cancelled";
  /** When that was. */
  readonly at: number;
  /** In which turn: it grows whenever the run has parked, or its worker was lost. */
  readonly turn: number;
  /** What the code got, or the error that it got. */
  readonly value?: unknown;
  /** Id of the key with which the value is encrypted, for a client without keys. */
  readonly encryptedWith?: string;
}

/** What a durable run has done in its current lap, from its journal. */
export interface Timeline {
  /** Which round of the code, counted from 1: `ctx.restart` begins the next, and forgets what was before. */
  readonly lap: number;
  /** In the order in which the code got it. */
  readonly entries: readonly TimelineEntry[];
}
