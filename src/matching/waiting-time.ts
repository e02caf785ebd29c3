// How long a run may wait in its queue, and which runs are watched for that.

import type { LiveRun } from "../fold/live-run.ts";
import { placeOf } from "./attached.ts";
import { expectExpiry, timeoutOf } from "./expiry.ts";
import type { Matching } from "./matching.ts";
import type { TaskQueue } from "./task-queue.ts";
import { queueOf } from "./task-queue.ts";

/** First turns without a timeout of their own expire in the order in which they come; all others are sorted. */
export function watchTimeout(state: Matching, run: LiveRun): void {
  const { waiting, counts } = queueOf(run);
  if (run.scheduleTimeoutMs === null) return;
  const last = waiting.last();
  if (run.turn === 1 && run.scheduleTimeoutMs === undefined && (last === undefined || last.readyAt <= run.readyAt)) {
    waiting.push(run);
    if (last === undefined) expectExpiry(queueOf(run));
    if (waiting.size > 2 * counts.queued + 1024) waiting.prune((r) => placeOf(r) === "queued" && r.turn === 1);
  } else watchByTime(state, run);
}

function watchByTime(state: Matching, run: LiveRun): void {
  const at = timeoutOf(run);
  if (at === undefined) return;
  if (state.timeouts.size > 2 * (state.fold.live.size + 512))
    state.timeouts.prune((t) => placeOf(t.run) === "queued" && t.run.turn === t.turn);
  state.timeouts.push({ at, run, turn: run.turn });
}

/** Called when the timeouts of these tasks have changed: their runs are watched by the new ones. */
export function watchAgain(state: Matching, queues: ReadonlySet<TaskQueue>): void {
  if (queues.size === 0) return;
  const inOrder = new Set<LiveRun>();
  for (const queue of queues) {
    for (const run of queue.waiting) inOrder.add(run);
    expectExpiry(queue);
  }
  for (const run of state.fold.live.values()) {
    if (placeOf(run) !== "queued" || run.scheduleTimeoutMs !== undefined || !queues.has(queueOf(run))) continue;
    if (run.turn > 1 || !inOrder.has(run)) watchByTime(state, run);
  }
}
