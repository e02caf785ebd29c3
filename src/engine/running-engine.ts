// What a running engine is to others.

import type { QueueInfo } from "../domain/listing.ts";
import type { CancelCause } from "../domain/run.ts";

export type EngineState = "standby" | "taking over" | "leading";

/** Runs of a task that were cancelled, by who wanted it. */
export interface Cancellations {
  readonly task: string;
  readonly runs: Readonly<Record<CancelCause, number>>;
}

export interface RunningEngine {
  readonly id: string;
  readonly state: EngineState;
  readonly epoch: number;
  /** Resolves as soon as this engine leads. */
  whenLeading(): Promise<void>;
  /** The queues as a leader knows them; undefined while it does not lead. */
  queues(): readonly QueueInfo[] | undefined;
  /** How many runs this engine cancelled while it led, by task and cause. */
  cancellations(): readonly Cancellations[];
}
