// Expiry: when a run will have waited too long in its queue.
import type { LiveRun } from "../../fold/live-run.ts";
import { queueOf, type TaskQueue } from "../task-queue.ts";

/** Makes sure that the queue is checked when its first run will have waited too long. Called whenever that moment may have moved closer. */
export function expectExpiry(queue: TaskQueue): void {
  const first = queue.isPaused ? undefined : queue.firstTurns.first();
  const at = first === undefined ? undefined : timeoutOf(first);
  if (at === undefined || at >= queue.expiryAt) return;
  queue.expiryAt = at;
  queue.index.expiries.push({ at, queue });
}

/** The schedule timeout of the run, or else that of its task; null = none. */
export function scheduleTimeoutOf(run: LiveRun): number | null {
  const own = run.scheduleTimeoutMs;
  return own !== undefined ? own : (queueOf(run).definition?.scheduleTimeoutMs ?? null);
}

/**
 * When the run will have waited too long, by its task's current settings; undefined = never, as for a durable run that has started. Neither pauses
 * count, nor time in which no engine led. Units: epoch milliseconds
 */
export function timeoutOf(run: LiveRun): number | undefined {
  const timeoutMs = scheduleTimeoutOf(run);
  if (timeoutMs === null || run.flow !== undefined) return undefined;
  const queue = queueOf(run);
  return queue.index.counted.after(Math.max(run.readyAt, queue.resumedAt), timeoutMs);
}
