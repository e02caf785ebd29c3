// How long a durable run may take: until its deadline, and once it is to be cancelled, as long as it may clean up.
import type { LiveRun } from "../../fold/live-run.ts";
import type { TaskDeclaration } from "../../wire/worker-messages.ts";
import type { Matching } from "../matching.ts";
import { queueOf, type TaskQueue } from "../task-queue.ts";
import { isDurable } from "./readiness.ts";

/** How long a durable run may take to clean up, if its task does not say. Units: milliseconds */
const cancelTimeoutMs = 300_000;

/** Watches the run's limit. Called when the run arrives, and when the log says that it should be cancelled. */
export function watchFlow(state: Matching, run: LiveRun): void {
  const at = limitOf(run);
  if (at !== undefined) state.flowLimits.push(at, run);
}

/** Whether the deadlines of a task's durable runs have changed. */
export const limitsDiffer = (before: TaskDeclaration | undefined, { durable }: TaskDeclaration): boolean =>
  durable !== undefined &&
  (before?.durable?.deadlineMs !== durable.deadlineMs || before.durable.cancelTimeoutMs !== durable.cancelTimeoutMs);

/** The deadlines of a task's durable runs have changed. */
export function watchFlows(state: Matching, queue: TaskQueue): void {
  for (const run of state.fold.live.values()) if (run.log === queue.log) watchFlow(state, run);
}

/** When the run must end, or be told to; undefined = never. Units: epoch milliseconds */
export function limitOf(run: LiveRun): number | undefined {
  if (!isDurable(run)) return undefined;
  const { durable } = queueOf(run).definition ?? {};
  const wish = run.trail?.cancelWish;
  if (wish !== undefined) return wish.at + (durable?.cancelTimeoutMs ?? cancelTimeoutMs);
  const deadlineMs = durable?.deadlineMs ?? null;
  return deadlineMs === null ? undefined : run.createdAt + deadlineMs;
}
