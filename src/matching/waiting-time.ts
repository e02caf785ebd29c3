// How long a run may wait in its queue, and which runs are watched for it.
import type { LiveRun } from "../fold/live-run.ts";
import type { SchedulerState } from "./state.ts";
import type { TaskQueue } from "./task-queue.ts";

/** First turns without a timeout of their own expire in the order in which they come; all others are sorted. */
export function watchTimeout(state: SchedulerState, run: LiveRun): void {
  const { waiting, counts } = run.queue;
  if (run.scheduleTimeoutMs === null) return;
  const last = waiting.last();
  if (run.turn === 1 && run.scheduleTimeoutMs === undefined && (last === undefined || last.readyAt <= run.readyAt)) {
    waiting.push(run);
    if (last === undefined) expectExpiry(run.queue);
    if (waiting.size > 2 * counts.queued + 1024) waiting.prune((r) => r.place === "queued" && r.turn === 1);
  } else watchByTime(state, run);
}

function watchByTime(state: SchedulerState, run: LiveRun): void {
  const at = timeoutOf(run);
  if (at === undefined) return;
  if (state.timeouts.size > 2 * (state.live.size + 512))
    state.timeouts.prune((t) => t.run.place === "queued" && t.run.turn === t.turn);
  state.timeouts.push({ at, run, turn: run.turn });
}

/** Sees to it that the queue is looked at when its first run will have waited too long. To be called where that moment may have come nearer. */
export function expectExpiry(queue: TaskQueue): void {
  const first = queue.isPaused ? undefined : queue.waiting.first();
  const at = first === undefined ? undefined : timeoutOf(first);
  if (at === undefined || at >= queue.expiryAt) return;
  queue.expiryAt = at;
  queue.index.expiries.push({ at, queue });
}

/** After the timeouts of these tasks have changed: their runs are watched by what they are now. */
export function watchAgain(state: SchedulerState, queues: ReadonlySet<TaskQueue>): void {
  if (queues.size === 0) return;
  const inOrder = new Set<LiveRun>();
  for (const queue of queues) {
    for (const run of queue.waiting) inOrder.add(run);
    expectExpiry(queue);
  }
  for (const run of state.live.values()) {
    if (run.place !== "queued" || run.scheduleTimeoutMs !== undefined || !queues.has(run.queue)) continue;
    if (run.turn > 1 || !inOrder.has(run)) watchByTime(state, run);
  }
}

/** What the run, or else its task, allows; null = no limit. */
export function scheduleTimeoutOf(run: LiveRun): number | null {
  const own = run.scheduleTimeoutMs;
  return own !== undefined ? own : (run.queue.definition?.scheduleTimeoutMs ?? null);
}

/**
 * When the run will have waited too long, by what its task says now; undefined = never. Neither a pause counts nor a time in which no
 * engine led. Units: epoch milliseconds
 */
export function timeoutOf(run: LiveRun): number | undefined {
  const timeoutMs = scheduleTimeoutOf(run);
  if (timeoutMs === null) return undefined;
  const { queue } = run;
  return queue.index.counted.after(Math.max(run.readyAt, queue.resumedAt), timeoutMs);
}
