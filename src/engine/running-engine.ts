// What others see of a running engine. They do not get the class itself: all types that it uses would be part of the public API.

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
