// The check of a worker's registration, by the rules for declarations in code: an engine trusts a message no more than a user's class.
import { parseAffinity } from "../domain/affinity.ts";
import { parseBatch } from "../domain/batch.ts";
import { parseCron } from "../domain/cron.ts";
import { longestDurationMs } from "../domain/duration.ts";
import { parseConcurrency, parseRateLimits } from "../domain/limits.ts";
import { assertName } from "../domain/names.ts";
import type { TaskPolicies } from "../domain/policies.ts";
import { assertLabels, assertSlots } from "../domain/worker.ts";
import { isWorkerId } from "./subjects.ts";
import { isTaskDeclaration, type Register, type TaskDeclaration } from "./worker-messages.ts";

const longestText = 256;
/** How many tasks one worker may have. */
const mostTasks = 10_000;
/** How many crons one task may have. */
const mostCrons = 100;

/** Fails: TypeError or RangeError with the value and the rule */
export function assertRegistration(message: Register): void {
  const { id, name, slots, labels, tasks, process = "", runtime, version } = message;
  const where = `worker "${name.slice(0, longestText)}"`;
  assertName("worker", name, "worker");
  if (!isWorkerId(id)) throw new TypeError(`${where}: its id must be a name, or a role and a name, "<role>-<name>"`);
  assertSlots(slots, where);
  assertLabels(labels, where);
  if ([process, runtime, version].some((text) => text.length > longestText))
    throw new RangeError(`${where}: process, runtime and version must have at most ${longestText} characters`);
  if (tasks.length > mostTasks) throw new RangeError(`${where} has ${tasks.length} tasks; ${mostTasks} is the maximum`);
  const names = new Set<string>();
  for (const task of tasks) {
    assertDeclaration(task);
    if (names.has(task.name)) throw new TypeError(`${where} has two tasks named "${task.name}"`);
    names.add(task.name);
  }
}

/** Checks the declaration of one task, by a worker or in the bucket. Fails: TypeError or RangeError */
function assertDeclaration({ name, timeoutMs, scheduleTimeoutMs, policies, crons, onFailure }: TaskDeclaration) {
  assertName("task", name, "task");
  const where = `task "${name}"`;
  if (Math.max(timeoutMs, scheduleTimeoutMs ?? 0) > longestDurationMs)
    throw new RangeError(`${where}: a timeout is longer than 10 years, the maximum`);
  if (policies !== undefined) assertPolicies(policies as TaskPolicies, where);
  if (crons !== undefined && crons.length > mostCrons)
    throw new RangeError(`${where}: ${crons.length} crons are too many; ${mostCrons} is the maximum`);
  for (const { name: cron, expression, ...rest } of crons ?? [])
    parseCron(expression, name, { name: cron, ...rest }, where);
  if (onFailure !== undefined) assertName("task", onFailure, `${where}: onFailure`);
}

/** Whether a record is the declaration of a task, by today's rules: they may be stricter than those under which it was stored. */
export function isDeclaredTask(record: unknown): record is TaskDeclaration {
  try {
    if (!isTaskDeclaration(record)) return false;
    assertDeclaration(record);
    return true;
  } catch {
    return false;
  }
}

function assertPolicies({ concurrency, rateLimits, slots, affinity, batch }: TaskPolicies, where: string): void {
  if (concurrency !== undefined)
    parseConcurrency(
      concurrency.map(({ key, ...rule }) => ({ ...rule, key: key ?? undefined })),
      `${where}: concurrency`,
    );
  if (rateLimits !== undefined)
    parseRateLimits(
      rateLimits.map(({ perMs, ...rule }) => ({ ...rule, per: perMs })),
      `${where}: rateLimit`,
    );
  if (slots !== undefined) assertSlots(slots, where);
  if (batch !== undefined) {
    const { intervalMs: interval, bytes, key, size } = batch;
    parseBatch({ size, interval, bytes: bytes ?? undefined, key: key ?? undefined }, `${where}: batch`);
  }
  if (affinity === undefined) return;
  parseAffinity(Object.fromEntries(affinity.map(({ label, ...wish }) => [label, wish])), `${where}: affinity`);
}
