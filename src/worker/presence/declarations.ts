// Declarations: what a worker says about its tasks when it registers.
import type { Log } from "../../domain/log.ts";
import { jsonSchemaOf } from "../../domain/schema.ts";
import type { WorkerTask } from "../../domain/worker.ts";
import { jsonBytes } from "../../wire/bytes.ts";
import type { TaskDeclaration } from "../../wire/worker-messages.ts";

/**
 * Derived once: a JSON Schema takes most of a millisecond, and heartbeats come all the time.
 *
 * `limit`: bytes of a declaration; schemas that do not fit are left out.
 */
export function declarationsOf(tasks: readonly WorkerTask[], limit: number, log: Log): readonly TaskDeclaration[] {
  return tasks.map((task) => {
    const whole = declarationOf(task);
    if (jsonBytes(whole).length <= limit) return whole;
    log.warn("the schemas of a task are too large to be listed; its input is still validated", { task: task.name });
    return { ...whole, inputSchema: null, outputSchema: null };
  });
}

const declarationOf = (task: WorkerTask): TaskDeclaration => ({
  name: task.name,
  timeoutMs: task.timeoutMs,
  scheduleTimeoutMs: task.scheduleTimeoutMs,
  priority: task.priority,
  retries: task.retry.limit,
  inputSchema: jsonSchemaOf(task.input),
  outputSchema: jsonSchemaOf(task.output),
  ...(task.policies !== undefined && { policies: task.policies }),
  ...(task.crons !== undefined && { crons: task.crons }),
  ...(task.onFailure !== undefined && { onFailure: task.onFailure }),
  ...(task.durable !== undefined && { durable: { ...task.durable, code: task.code ?? "by hand" } }),
});
