// Which queues have something to do: a tick looks at these, not at all queues that there are.

import { Heap } from "../collections/heap.ts";
import { CountedTime } from "./counted-time.ts";
import type { TaskQueue } from "./task-queue.ts";

/** When the first run of a queue may have waited too long; void when the queue expects another time by now. */
export interface Expiry {
  readonly at: number;
  readonly queue: TaskQueue;
}

/** After an outage a million may have waited too long: the outcomes of so many are on their way to the log at once, the others follow. */
const mostEnding = 20_000;

export class QueueIndex {
  /** With queued runs and a worker. Written by the queues themselves. */
  readonly ready = new Set<TaskQueue>();
  /** With queued runs whose keys are not known yet. Written by policies and dispatch. */
  readonly arriving = new Set<TaskQueue>();
  /** Asked to be purged, and not yet answered. Written by garbage.ts and retention.ts. */
  readonly purging = new Set<TaskQueue>();
  /** What their runs have waited. */
  readonly counted = new CountedTime();
  readonly expiries = new Heap<Expiry>((a, b) => a.at < b.at);
  /** Runs whose outcome is on its way to the log. Written by `setPlace`. */
  ending = 0;
  get isFull(): boolean {
    return this.ending >= mostEnding;
  }
}
