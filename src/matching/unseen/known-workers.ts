// The list of workers that a leader leaves to the next one: all that may be executing something.

import type { KnownWorker } from "../../wire/records.ts";
import type { Matching } from "../matching.ts";

/** The registered workers, those whose lost runs still count, and those that this leader has not heard from itself; sorted by id. */
export function knownWorkers({ workers, lingering, unheard }: Matching): KnownWorker[] {
  const known = new Map<string, KnownWorker>();
  for (const [id, { keyed, process }] of unheard) known.set(id, { id, keyed, process });
  for (const [id, all] of lingering) {
    const tasks = new Set<string>();
    for (const { task } of all) tasks.add(task);
    known.set(id, { id, keyed: [...tasks] });
  }
  for (const { id, isRegistered, process, keyedTasks } of workers.values())
    if (isRegistered) known.set(id, { id, keyed: keyedTasks, process });
    else if (!known.has(id)) known.set(id, { id });
  return [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
