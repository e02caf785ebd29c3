import type { AssignedEvent } from "./events.ts";
import { loseAttempt, takeBack } from "./lose.ts";
import type { SchedulerState } from "./state.ts";
import type { Assignment, WorkerRecord } from "./workers.ts";

/** The worker has the batch, but for the runs that it refuses: those were never started and go back to the queue. */
export function acknowledge(state: SchedulerState, event: AssignedEvent): void {
  const worker = state.workers.get(event.id);
  if (worker === undefined) return;
  for (const assignment of takeBatch(worker, event.batch, event.refused)) {
    if (assignment.isRefused) takeBack(state, worker, assignment.assignment);
    else assignment.assignment.isAcknowledged = true;
  }
  // Without a pause the same runs would be offered to the same worker at once.
  if (event.refused.length > 0) worker.isHeld = true;
}

/** Nobody knows whether the batch arrived: its runs are lost, and the worker gets nothing before it says what it has. */
export function giveUpBatch(state: SchedulerState, id: string, batch: number): void {
  const worker = state.workers.get(id);
  if (worker === undefined) return;
  worker.isHeld = true;
  for (const { assignment } of takeBatch(worker, batch, [])) {
    if (!assignment.isAcknowledged)
      loseAttempt(state, worker, assignment, `worker ${id} did not acknowledge the assignment`);
  }
}

/** The slots that a batch took and that are still taken. Each batch is answered once. */
function takeBatch(
  worker: WorkerRecord,
  batch: number,
  refused: readonly number[],
): { assignment: Assignment; isRefused: boolean }[] {
  const runs = worker.batches.get(batch) ?? [];
  worker.batches.delete(batch);
  const refusedIndices = new Set(refused);
  const open: { assignment: Assignment; isRefused: boolean }[] = [];
  runs.forEach((run, index) => {
    for (let a = worker.ledger.get(run.key); a !== undefined; a = a.next) {
      if (a.batch === batch && a.origin === run.origin)
        open.push({ assignment: a, isRefused: refusedIndices.has(index) });
    }
  });
  return open;
}
