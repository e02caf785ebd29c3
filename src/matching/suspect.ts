import type { LiveRun } from "../fold/live-run.ts";
import type { Lane } from "./limits/lanes.ts";
import type { Needs } from "./needs.ts";
import type { WorkerRecord } from "./workers.ts";

/** A suspect that was taken from its queue: it has room in its limits, and waits for a process of its own. */
export interface Suspect {
  readonly run: LiveRun;
  readonly turn: number;
  readonly units: number;
  readonly needs: Needs | undefined;
  readonly lane: Lane | undefined;
}
/** A process that a suspect has, or waits for, alone. */
export interface Isolation {
  readonly run: LiveRun;
  readonly turn: number;
  /** On the scheduler's own clock. */
  since: number;
  /** Who executes it; undefined while what executes there ends. */
  worker: WorkerRecord | undefined;
}
