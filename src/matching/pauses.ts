// What is paused gets no new runs: here a leader's pauses reach its queues and workers.
import { type Pauses, resumedAt, wholeNamespace } from "../domain/pauses.ts";
import type { TaskQueue } from "./task-queue.ts";
import { expectExpiry } from "./waiting/expiry.ts";
import type { WorkerRecord } from "./workers.ts";

/** Called for every queue when the pauses change, and for a new queue. */
export function pauseQueue(pauses: Pauses, queue: TaskQueue): void {
  queue.isPaused = pauses.namespace || pauses.tasks.includes(queue.name);
  queue.resumedAt = Math.max(resumedAt(pauses, queue.name), resumedAt(pauses, wholeNamespace));
  expectExpiry(queue);
}

/** Called for every worker when the pauses change, and for one that registers. */
export function pauseWorker(pauses: Pauses, worker: WorkerRecord): void {
  worker.isPaused = pauses.workers.includes(worker.name) || pauses.workers.includes(worker.id);
}
