// What a schema makes of an input or an output before anybody sees it.
import { InvalidData } from "../domain/errors.ts";
import { validate } from "../domain/schema.ts";
import type { WorkerTask } from "../domain/worker.ts";
import { after } from "../runtime/at-once.ts";
import { judge } from "./verdict.ts";

/**
 * An input or output as the task's schema gives it, at once unless the schema is asynchronous.
 *
 * Fails: InvalidData, which is final: another attempt would be refused again
 */
export function accepted(what: "input" | "output", task: WorkerTask, value: unknown): unknown {
  const schema = task[what];
  if (schema === undefined) return value;
  return after(validate(schema, value), (checked) => {
    if ("value" in checked) return checked.value;
    throw judge(new InvalidData({ what, task: task.name, issues: checked.issues }), true);
  });
}
