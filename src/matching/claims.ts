// Claims: workers reserved for runs of several slots. Such a run needs its slots free on one worker at the same time, while runs of one slot
// would take each as it comes. So it is overtaken only a few times: then a worker is reserved for its task until enough slots are free there.

import type { Matching } from "./matching.ts";
import { type Needs, suitability } from "./needs.ts";
import type { TaskQueue } from "./task-queue.ts";
import type { WorkerRecord } from "./workers.ts";

/** How many runs may take slots that a larger run is waiting for. */
const overtakenAtMost = 8;

/** A task whose first run needs more slots than any worker has free. */
export interface Starved {
  readonly queue: TaskQueue;
  readonly units: number;
  readonly needs: Needs | undefined;
}

/** Gives up claims that lead to nothing. */
export function dropVoidClaims(state: Matching): void {
  for (const [worker, queue] of state.claimed) {
    const isVoid =
      !worker.isAssignable || queue.isPaused || queue.counts.queued === 0 || state.workers.get(worker.id) !== worker;
    if (isVoid || !queue.workers.has(worker)) release(state, worker);
  }
}

/** A run of the task has started, so its claim is over. Returns whether a worker was reserved for it. */
export function giveUpClaim(state: Matching, queue: TaskQueue): boolean {
  queue.overtaken = 0;
  const before = state.claimed.size;
  for (const [worker, of] of state.claimed) if (of === queue) release(state, worker);
  return state.claimed.size < before;
}

/** Reserves a worker for each task whose run was overtaken too often. */
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
