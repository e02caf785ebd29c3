import type { LiveRun } from "../../fold/live-run.ts";
import type { Lane } from "../limits/lanes.ts";
import type { Needs } from "../needs.ts";
import type { WorkerRecord } from "../workers.ts";

/** A suspect taken from its queue: it has room in its limits, and waits for a process to itself. */
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
  /** The worker executing it; undefined until the process is free. */
  worker: WorkerRecord | undefined;
}
