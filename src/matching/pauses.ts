import { type Pauses, resumedAt, wholeNamespace } from "../domain/pauses.ts";
import type { SchedulerState } from "./state.ts";
import type { TaskQueue } from "./task-queue.ts";
import { expectExpiry } from "./waiting-time.ts";
import type { WorkerRecord } from "./workers.ts";

/** From now on this is paused, and nothing else. */
export function applyPauses(state: SchedulerState, pauses: Pauses): void {
  state.pauses = pauses;
  for (const queue of state.queues.values()) pauseQueue(state, queue);
  for (const worker of state.workers.values()) pauseWorker(state, worker);
}

/** Also for a queue that is seen for the first time. */
export function pauseQueue({ pauses }: SchedulerState, queue: TaskQueue): void {
  queue.isPaused = pauses.namespace || pauses.tasks.includes(queue.name);
  queue.resumedAt = Math.max(resumedAt(pauses, queue.name), resumedAt(pauses, wholeNamespace));
  expectExpiry(queue);
}

/** Also for a worker that registers. */
export function pauseWorker({ pauses }: SchedulerState, worker: WorkerRecord): void {
  worker.isPaused = pauses.workers.includes(worker.name) || pauses.workers.includes(worker.id);
}
