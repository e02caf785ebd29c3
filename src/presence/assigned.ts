// What has become of an assignment: the worker has it, refuses part of it, or has not answered.
import type { LiveRun } from "../fold/live-run.ts";
import type { AssignCommand } from "../matching/commands.ts";
import type { Matching } from "../matching/matching.ts";
import type { Booking, WorkerRecord } from "../matching/workers.ts";
import { loseAttempt, takeBack } from "./lose.ts";

/** `refused` are indices into the runs of the `assign` command. */
export interface AssignedEvent {
  readonly type: "assigned";
  readonly id: string;
  readonly batch: number;
  readonly refused: readonly number[];
  readonly why?: "stale" | "quiet" | "full" | "unknown task" | undefined;
  /** How many runs the worker takes beyond its slots. */
  readonly ahead?: number | undefined;
}

/** As many as may be unacknowledged, whatever a worker says. */
const mostAhead = 1_000;

/** The worker has the batch except for the runs it refuses: those were never started and go back to the queue. */
export function acknowledge(state: Matching, event: AssignedEvent): void {
  const worker = state.workers.get(event.id);
  const { batch, refused } = event;
  if (worker?.batches.has(batch) !== true) return; // given up before
  const runs = takeBatch(worker, batch);
  const isRefused = new Set(refused);
  for (let index = 0; index < runs.length; index++) {
    const booking = slotFor(worker, runs[index]!, batch);
    if (booking === undefined) continue;
    if (isRefused.has(index)) takeBack(state, worker, booking);
    else booking.isAcknowledged = true;
  }
  worker.ahead = refused.length > 0 ? 0 : Math.min(event.ahead ?? 0, mostAhead);
  // Without a pause the same runs would be offered to the same worker at once.
  if (refused.length > 0) worker.isHeld = true;
}

/**
 * Whether a batch may still be sent: it may have waited long for its inputs, or until it was noted. What its worker lost in the meantime may have been
 * given to another, and a worker about to be given up might accept it after that.
 */
export function isDue(state: Matching, { worker: id, batch, runs }: AssignCommand): boolean {
  const worker = state.workers.get(id);
  return worker?.batches.get(batch) === runs && worker.isAssignable;
}

/** Nobody knows whether the batch arrived: its runs are lost, and the worker gets nothing until it reports what it has. */
export function giveUpBatch(state: Matching, id: string, batch: number): void {
  const worker = state.workers.get(id);
  if (worker === undefined) return;
  worker.isHeld = true;
  worker.ahead = 0;
  for (const run of takeBatch(worker, batch)) {
    const booking = slotFor(worker, run, batch);
    if (booking === undefined || booking.isAcknowledged) continue;
    loseAttempt(state, worker, booking, `worker ${id} did not acknowledge the assignment`);
  }
}

/** Each batch is answered once. */
function takeBatch(worker: WorkerRecord, batch: number): readonly LiveRun[] {
  const runs = worker.batches.get(batch) ?? [];
  if (worker.batches.delete(batch)) worker.unacknowledged -= runs.length;
  return runs;
}

/** The slot that the run took with this batch, if it is still taken. */
function slotFor(worker: WorkerRecord, run: LiveRun, batch: number): Booking | undefined {
  let slot = worker.ledger.get(run.origin);
  while (slot !== undefined && slot.batch !== batch) slot = slot.next;
  return slot;
}
