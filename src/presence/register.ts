// Registration: what a worker says of itself, and what follows from it for queues, slots and limits.
import { cutText } from "../domain/printable.ts";
import { limitsDiffer, watchFlows } from "../matching/durable/limit-of-flow.ts";
import { declarePolicies } from "../matching/limits/declare.ts";
import type { Matching } from "../matching/matching.ts";
import { pauseWorker } from "../matching/pauses.ts";
import { endCaution } from "../matching/suspects/caution.ts";
import { moveTo } from "../matching/suspects/suspects.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import { watchAgain } from "../matching/waiting/schedule-timeouts.ts";
import type { WorkerRecord } from "../matching/workers.ts";
import type { Register, TaskDeclaration } from "../wire/worker-messages.ts";
import { workerWith } from "./found.ts";
import { compareLedger } from "./ledger.ts";
import { showLife } from "./presence.ts";

/** A worker introduces itself, or does so again after a reconnect or for a new leader. The newest registration of a task defines it. */
export function register(state: Matching, message: Register): void {
  const worker = workerWith(state, message.id);
  if (!worker.isRegistered) worker.registeredAt = state.step.now;
  worker.isRegistered = true;
  worker.isHeld = false;
  worker.ahead = 0;
  worker.isDead = false;
  worker.isBlocked = message.blocked === true;
  worker.isQuiet = message.quiet;
  worker.name = message.name;
  worker.secret = message.secret;
  moveTo(state, worker, message.process ?? message.id);
  worker.slots = message.slots;
  worker.labels = message.labels;
  worker.runtime = message.runtime;
  worker.version = message.version;
  pauseWorker(state.pauses, worker);
  showLife(state, worker);
  replaceTasks(state, worker, message.tasks);
  compareLedger(state, worker, message.executing);
  // One that does not know this leader may still accept runs from the previous one: it registers again once it does.
  if (message.heard === undefined || message.heard >= state.epoch) {
    state.unheard.delete(worker.id);
  }
  if (state.unheard.size === 0) endCaution(state);
}

function replaceTasks(state: Matching, worker: WorkerRecord, tasks: readonly TaskDeclaration[]): void {
  for (const task of worker.tasks.keys()) state.queues.get(task)?.removeWorker(worker);
  worker.tasks.clear();
  worker.keyedTasks = tasks.filter(({ policies }) => policies?.concurrency !== undefined).map(({ name }) => name);
  const retimed = new Set<TaskQueue>();
  for (const task of tasks) {
    const queue = state.queueOf(task.name);
    const before = queue.definition;
    if (before !== undefined) warnOfChange(state, worker, before, task);
    if (define(queue, task)) retimed.add(queue);
    if (limitsDiffer(before, task)) watchFlows(state, queue);
    declarePolicies(state, queue, task.policies);
    queue.addWorker(worker);
    worker.tasks.set(task.name, task);
  }
  watchAgain(state, retimed);
}

/** Takes up what is known of the task; true if its runs have another schedule timeout now. */
function define(queue: TaskQueue, task: TaskDeclaration): boolean {
  const before = queue.definition?.scheduleTimeoutMs ?? null;
  queue.definition = task;
  return task.scheduleTimeoutMs !== before && task.scheduleTimeoutMs !== null;
}

/** What workers declared to earlier leaders. The first registration of a task decides everything else it declares. */
export function restoreDefinitions(state: Matching, tasks: readonly TaskDeclaration[]): void {
  const retimed = new Set<TaskQueue>();
  for (const task of tasks) {
    const queue = state.queueOf(task.name);
    if (queue.workers.size === 0 && define(queue, task)) retimed.add(queue);
  }
  watchAgain(state, retimed);
}

const compared = [
  "timeoutMs",
  "scheduleTimeoutMs",
  "priority",
  "retries",
  "inputSchema",
  "outputSchema",
  "policies",
] as const;

const shown = (value: unknown): string => cutText(JSON.stringify(value) ?? "none", 200);

function warnOfChange(state: Matching, worker: WorkerRecord, before: TaskDeclaration, after: TaskDeclaration): void {
  const differing = compared.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  if (differing.length === 0) return;
  const changes = differing.map((field) => `${field} ${shown(before[field])} → ${shown(after[field])}`);
  const message = `worker '${worker.name}' redefines task "${after.name}"; the new definition is used from now on: ${changes.join(", ")}`;
  state.step.commands.push({
    type: "log",
    level: "warn",
    message,
    fields: { task: after.name, worker: worker.id, differing },
  });
}
