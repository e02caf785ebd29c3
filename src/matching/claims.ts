// A run of several slots needs them free on one worker at the same time, while runs of one slot would take each as it comes. So it is
// overtaken only a few times: then a worker is reserved for it until enough of its slots are free.

import type { Matching } from "./matching.ts";
import { type Needs, suitability } from "./needs.ts";
import type { TaskQueue } from "./task-queue.ts";
import type { WorkerRecord } from "./workers.ts";

/** How many runs may take slots that a larger run of the same workers waits for. */
const overtakenAtMost = 8;

/** Waiting runs that need more slots than any worker has free. */
export interface Starved {
  readonly queue: TaskQueue;
  readonly units: number;
  readonly needs: Needs | undefined;
}

/** Claims that lead to nothing are given up. */
export function dropVoidClaims(state: Matching): void {
  for (const [worker, queue] of state.claimed) {
    const isVoid =
      !worker.isAssignable || queue.isPaused || queue.counts.queued === 0 || state.workers.get(worker.id) !== worker;
    if (isVoid || !queue.workers.has(worker)) release(state, worker);
  }
}

/** The task has got what it waited for, or cannot start for another reason. Returns whether a worker was kept for it. */
export function giveUpClaim(state: Matching, queue: TaskQueue): boolean {
  queue.overtaken = 0;
  const before = state.claimed.size;
  for (const [worker, of] of state.claimed) if (of === queue) release(state, worker);
  return state.claimed.size < before;
}

/** A run that was overtaken too often gets a worker for itself. */
export function claimForStarved(state: Matching, starved: readonly Starved[]): void {
  for (const { queue, units, needs } of starved) {
    if (queue.overtaken < overtakenAtMost || hasClaim(state, queue)) continue;
    let best: WorkerRecord | undefined;
    for (const worker of queue.workers) {
      const isAble = worker.isAssignable && worker.claimedBy === undefined && worker.slots >= units;
      if (!isAble || (needs !== undefined && suitability(needs, worker) === undefined)) continue;
      if (best === undefined || worker.free > best.free) best = worker;
    }
    if (best === undefined) continue;
    best.claimedBy = queue.log;
    state.claimed.set(best, queue);
  }
}

function hasClaim(state: Matching, queue: TaskQueue): boolean {
  for (const of of state.claimed.values()) if (of === queue) return true;
  return false;
}

function release(state: Matching, worker: WorkerRecord): void {
  worker.claimedBy = undefined;
  state.claimed.delete(worker);
}
