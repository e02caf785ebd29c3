// The target of a pause: a task, workers, or everything.
import { assertKnownOptions } from "../../domain/known-options.ts";
import { assertName } from "../../domain/names.ts";
import type { PauseTarget } from "../../domain/pauses.ts";
import type { ChangePause } from "../../wire/verbs.ts";

/** Checks a target. Fails: TypeError for anything but a task, a worker or nothing */
export function pauseTarget(target: PauseTarget, what: string): Pick<ChangePause, "task" | "worker"> {
  assertKnownOptions(target, { options: ["task", "worker"], of: `a ${what}`, where: what });
  const { task, worker } = target;
  if (task !== undefined && worker !== undefined)
    throw new TypeError(`${what}: a task or a worker, not both, for example { task: "${task}" }`);
  if (worker === "") throw new TypeError(`${what}: "" is not the name of a worker, for example { worker: "email" }`);
  if (task !== undefined) return { task: assertName("task", task, what) };
  return worker === undefined ? {} : { worker };
}
