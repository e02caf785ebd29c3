// A suspect: a run that may be what kills its process. And the process that is kept for one.
import type { LiveRun } from "../../fold/live-run.ts";
import type { Lane } from "../limits/lanes.ts";
import type { Needs } from "../needs.ts";
import type { WorkerRecord } from "../workers.ts";

/** A suspect was taken from its queue: its limits have let it start, and it waits for a process to itself. */
export interface Suspect {
  readonly run: LiveRun;
  readonly turn: number;
  readonly units: number;
  readonly needs: Needs | undefined;
  readonly lane: Lane | undefined;
}
/** A process that a suspect has to itself, or waits for. */
export interface Isolation {
  readonly run: LiveRun;
  readonly turn: number;
  /** On the scheduler's own clock. */
  since: number;
  /** The worker that executes the suspect; undefined until the process is free. */
  worker: WorkerRecord | undefined;
}
