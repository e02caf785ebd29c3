// Siblings: the children of one op, where only some may be started at once.
import type { Heap } from "../../collections/heap.ts";
import type { LiveRun } from "../../fold/live-run.ts";

export interface Siblings {
  /** The children that may execute, until they have ended. */
  readonly admitted: Set<LiveRun>;
  readonly held: Heap<LiveRun>;
}
