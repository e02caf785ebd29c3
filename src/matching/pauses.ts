import { type Pauses, resumedAt, wholeNamespace } from "../domain/pauses.ts";
import type { TaskQueue } from "./task-queue.ts";
import { expectExpiry } from "./waiting/expiry.ts";
import type { WorkerRecord } from "./workers.ts";

/** Also for a queue that is seen for the first time. */
export function pauseQueue(pauses: Pauses, queue: TaskQueue): void {
  queue.isPaused = pauses.namespace || pauses.tasks.includes(queue.name);
  queue.resumedAt = Math.max(resumedAt(pauses, queue.name), resumedAt(pauses, wholeNamespace));
  expectExpiry(queue);
}

/** Also for a worker that registers. */
export function pauseWorker(pauses: Pauses, worker: WorkerRecord): void {
  worker.isPaused = pauses.workers.includes(worker.name) || pauses.workers.includes(worker.id);
}
