// Whether the engine can evaluate what workers declare if their process encrypts inputs: checked at the start, so that no run fails later.
import type { EncryptionOptions } from "../domain/encryption.ts";
import { sealedField } from "../domain/plain-fields.ts";
import type { WorkerDefinition, WorkerTask } from "../domain/worker.ts";

/** Fails: TypeError */
export function assertSealable(
  definitions: readonly WorkerDefinition[],
  encryption: EncryptionOptions | undefined,
): void {
  if (encryption === undefined) return;
  for (const { tasks } of definitions) for (const task of tasks) assertTask(task, encryption);
}

function assertTask(task: WorkerTask, { plain = {}, required }: EncryptionOptions): void {
  const where = `task "${task.name}"`;
  if (required === true && task.crons?.some(({ input }) => input !== undefined))
    throw new TypeError(
      `${where}: the input of a declared cron is stored as it is, and encryption.required refuses it; set the schedule with natchet.crons.set()`,
    );
  const fields = [...(task.plain ?? []), ...(Object.hasOwn(plain, task.name) ? plain[task.name]! : [])];
  for (const key of keysOf(task)) {
    const missing = fieldsIn(key).find((field) => !fields.includes(field));
    if (missing !== undefined)
      throw new TypeError(
        `${where}: the engine cannot evaluate ${JSON.stringify(key)} on an encrypted input; declare the field plain, for example { plain: ["${missing}"] } among the options of the task`,
      );
  }
}

/** All expressions that the engine evaluates on the input of a run. */
function keysOf({ policies }: WorkerTask): readonly string[] {
  const { concurrency = [], rateLimits = [], batch } = policies ?? {};
  const keys = [...concurrency.map(({ key }) => key), ...rateLimits.flatMap(({ key, units }) => [key, units])];
  return [...keys, batch?.key].filter((key): key is string => typeof key === "string");
}

/** The fields of `input` that an expression uses. The whole `input` counts as a sealed field: the engine sees only its plain fields. */
function fieldsIn(expression: string): readonly string[] {
  const uses = expression.matchAll(/\binput\b(?:\s*\.\s*(\w+)|\[\s*["'](.+?)["']\s*\])?/g);
  return Array.from(uses, ([, field, quoted]) => field ?? quoted ?? sealedField);
}
