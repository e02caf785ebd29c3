// What a running engine is to others. Not the class itself: all its types would be part of the public API then.

import type { Cancellations, QueueInfo } from "../domain/listing.ts";

export type EngineState = "standby" | "taking over" | "leading";

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
