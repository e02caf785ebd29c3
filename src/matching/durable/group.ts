import type { Heap } from "../../collections/heap.ts";
import type { LiveRun } from "../../fold/live-run.ts";

/** Children of one op, of which only some are started at once. */
export interface Siblings {
  /** Those that may execute, until they have ended. */
  readonly admitted: Set<LiveRun>;
  readonly held: Heap<LiveRun>;
}
