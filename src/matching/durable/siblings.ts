// Children of which only a limited number may start at once: the others wait until one has ended. Until then they are in no queue and no limit.
import { Heap } from "../../collections/heap.ts";
import { childPlaceOf } from "../../domain/durable.ts";
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { setPlace } from "../task-queue.ts";
import type { Siblings } from "./group.ts";

const siblingsOf = (state: Matching, run: LiveRun): Siblings | undefined => {
  const name = run.placement?.atOnce === undefined ? undefined : nameOf(run);
  return name === undefined ? undefined : state.siblings.get(name);
};

function nameOf(run: LiveRun): string | undefined {
  const place = childPlaceOf(run.id);
  return place && `${place.origin}.${place.lap}.${place.ordinal}`;
}

/** Admits a run if it may start now, and holds it otherwise. Returns whether it may; always true for one without such a limit. */
export function admit(state: Matching, run: LiveRun): boolean {
  const most = run.placement?.atOnce;
  const name = most === undefined ? undefined : nameOf(run);
  if (most === undefined || name === undefined) return true;
  let siblings = state.siblings.get(name);
  if (siblings === undefined) {
    siblings = { admitted: new Set(), held: new Heap((a, b) => a.origin < b.origin) };
    state.siblings.set(name, siblings);
  }
  const { admitted, held } = siblings;
  if (admitted.has(run)) return true;
  if (admitted.size < most) {
    admitted.add(run);
    return true;
  }
  held.push(run);
  setPlace(run, "waiting");
  return false;
}

/** A run that is no longer live makes room for a sibling. Returns that one, which the caller places. */
export function makeRoom(state: Matching, run: LiveRun): LiveRun | undefined {
  const siblings = siblingsOf(state, run);
  if (siblings === undefined) return undefined;
  const { admitted, held } = siblings;
  const wasAdmitted = admitted.delete(run);
  let next = wasAdmitted ? held.pop() : undefined;
  while (next !== undefined && (placeOf(next) !== "waiting" || admitted.has(next))) next = held.pop();
  if (admitted.size === 0 && next === undefined && held.size === 0) state.siblings.delete(nameOf(run)!);
  return next;
}

/** A new leader finds a worker executing this run, so a sibling that has not started must wait instead. */
export function admitFound(state: Matching, run: LiveRun): void {
  const siblings = siblingsOf(state, run);
  if (siblings === undefined || siblings.admitted.has(run)) return;
  const { admitted, held } = siblings;
  admitted.add(run);
  for (const other of admitted) {
    if (admitted.size <= run.placement!.atOnce!) return;
    if (placeOf(other) !== "queued") continue;
    admitted.delete(other);
    held.push(other);
    setPlace(other, "waiting");
  }
}
