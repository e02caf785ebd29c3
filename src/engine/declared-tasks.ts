// What workers declared of their tasks to this leader or one before it. Without it a new leader knows no timeout until a worker registers.
import type { Log } from "../domain/log.ts";
import type { Definitions } from "../nats/definitions.ts";
import { isTaskDeclaration, type TaskDeclaration } from "../protocol/messages.ts";

const prefix = "task.";

export function storeDeclaredTask(definitions: Definitions, task: TaskDeclaration): Promise<void> {
  return definitions.put(`${prefix}${task.name}`, task);
}

/** A record that is not understood is as good as none. Fails: {@link StoreUnavailable} */
export async function loadDeclaredTasks(definitions: Definitions, log: Log): Promise<readonly TaskDeclaration[]> {
  const tasks: TaskDeclaration[] = [];
  for (const { key, record } of await definitions.readAll(prefix)) {
    if (isTaskDeclaration(record)) tasks.push(record);
    else log.warn("a stored task definition was not understood", { key });
  }
  return tasks;
}
