// The names of a namespace, for commands that were given an unknown one.
import { nearest } from "../domain/known-options.ts";
import { listed } from "../domain/names.ts";
import type { Natchet } from "../mod.ts";

export interface KnownNames {
  /** Of the connected workers. */
  readonly tasks: readonly string[];
  /** Of tasks with runs, whoever executes them. */
  readonly queues: readonly string[];
  readonly workers: readonly string[];
  readonly workerIds: readonly string[];
}

export async function knownNames(natchet: Natchet): Promise<KnownNames> {
  const [workers, queues] = await Promise.all([natchet.workers(), natchet.queues()]);
  const each = (names: readonly string[]) => [...new Set(names)].sort();
  return {
    tasks: each(workers.flatMap(({ tasks }) => tasks)),
    queues: each(queues.map(({ task }) => task)),
    workers: each(workers.map(({ name }) => name)),
    workerIds: workers.map(({ id }) => id),
  };
}

export const unknownTask = (task: string, tasks: readonly string[]): string =>
  `no connected worker has the task "${task}"${alternatives(task, tasks)}`;

export const unknownWorker = (worker: string, workers: readonly string[]): string =>
  `no connected worker has the name or id "${worker}"${alternatives(worker, workers)}`;

/** What was probably meant, or what there is. */
function alternatives(name: string, names: readonly string[]): string {
  if (names.length === 0) return " (no worker is connected)";
  const meant = nearest(name, names);
  return meant === undefined ? ` (there are: ${listed(names)})` : `; did you mean "${meant}"?`;
}
