// How a run becomes live: its first entry creates it, or a compacted one brings it back.
import { isChild } from "./families.ts";
import type { Fold } from "./fold.ts";
import { type Created, LiveRun } from "./live-run.ts";

/** Rule 1: an unknown key is a new run. */
export function createRun(fold: Fold, created: Created): void {
  // Outcomes remembered under this key belong to an earlier run with the same id: they name an older origin.
  if (fold.unexplained.size > 0) fold.unexplained.delete(created.key);
  const run = addLive(fold, created, created.origin);
  fold.listener?.created(run);
}

/** Adds a run in the state of a new one, without telling the listener. */
export function addLive(fold: Fold, created: Created, origin: number): LiveRun {
  const { key, log, entry, inputs } = created;
  const kept = inputs === undefined ? fold.inputs.keep(entry.input) : fold.inputs.share(inputs);
  const run = new LiveRun(created, origin, fold.inboxOnce(entry.inbox), kept);
  fold.live.set(key, run);
  if (fold.displaced.size > 0) fold.displaced.delete(key);
  log.liveCount++;
  if (isChild(run)) fold.families.born(run);
  return run;
}
