// Found attempts: what a leader books without having assigned it, because a worker names it or an earlier leader has noted it.
import type { LiveRun } from "../fold/live-run.ts";
import { placeOf } from "../matching/attached.ts";
import { admitFound } from "../matching/durable/siblings.ts";
import type { Matching } from "../matching/matching.ts";
import { setPlace } from "../matching/task-queue.ts";
import { type Booking, WorkerRecord } from "../matching/workers.ts";

export interface FoundAttempt extends Pick<Booking, "key" | "turn" | "origin" | "units" | "startedAt"> {
  /** Undefined if the attempt no longer counts, and only takes a slot. */
  readonly run: LiveRun | undefined;
}

/** Whether nobody executes the run as far as this leader knows, and no outcome of it is on its way to the log. */
export const isFree = (run: LiveRun): boolean => placeOf(run) !== "running" && placeOf(run) !== "ending";

export function bookFound(state: Matching, worker: WorkerRecord, found: FoundAttempt): void {
  worker.occupy({
    ...found,
    batch: 0,
    isAcknowledged: true,
    missedBeats: 0,
    wasNamed: false,
    since: state.step.uptime,
    hasBegun: true,
    next: undefined,
  });
  const { run } = found;
  if (run === undefined) return;
  setPlace(run, "running");
  run.holder = worker;
  if (state.siblings.size > 0) admitFound(state, run);
}

/** The worker with that id. A new one counts as present until its heartbeats fail to come. */
export function workerWith(state: Matching, id: string): WorkerRecord {
  let worker = state.workers.get(id);
  if (worker === undefined) {
    worker = new WorkerRecord(id, state.step.uptime);
    state.workers.set(id, worker);
  }
  return worker;
}
