// Families: which runs are children of which. That follows from the children's ids, so no entry has to say it, and the order of entries does not matter.
import { childPlaceOf, isWanted } from "../domain/durable.ts";
import { parentKey } from "../domain/parent.ts";
import type { FinishedRun } from "./finished-run.ts";
import type { LiveRun } from "./live-run.ts";

/** The children that one op of a parent has started. */
export interface Group {
  /** How many have ended, and how many of these did not complete. */
  ended: number;
  failed: number;
}

/** The children of one run. */
export class Family {
  readonly origin: number;
  /** The parent's key; undefined while unknown, null once no live run was found with the origin of this family. */
  parent: string | null | undefined = undefined;
  readonly live = new Set<LiveRun>();
  readonly groups = new Map<string, Group>();

  constructor(origin: number) {
    this.origin = origin;
  }
}

const tilde = 0x7e;
const nameOf = (lap: number, ordinal: number): string => `${lap}.${ordinal}`;
const idOf = ({ key, task }: { readonly key: string; readonly task: string }): string => key.slice(task.length + 1);

/** Whether a run is the child of another. Hardly any is, so check this before parsing the id. */
export const isChild = ({ key, task }: { readonly key: string; readonly task: string }): boolean =>
  key.charCodeAt(task.length + 1) === tilde;

interface LiveRuns {
  get(key: string): LiveRun | undefined;
  values(): Iterable<LiveRun>;
}

function keyOfOrigin(origin: number, live: LiveRuns): string | null {
  for (const run of live.values()) if (run.origin === origin) return run.key;
  return null;
}

export class Families {
  readonly #byOrigin = new Map<number, Family>();

  get(origin: number): Family | undefined {
    return this.#byOrigin.get(origin);
  }
  get isEmpty(): boolean {
    return this.#byOrigin.size === 0;
  }
  values(): Iterable<Family> {
    return this.#byOrigin.values();
  }
  group(origin: number, lap: number, ordinal: number): Group | undefined {
    return this.#byOrigin.get(origin)?.groups.get(nameOf(lap, ordinal));
  }
  /** The family that a run belongs to as a child. */
  of(run: LiveRun | FinishedRun): Family | undefined {
    const place = isChild(run) ? childPlaceOf(idOf(run)) : undefined;
    return place && this.#byOrigin.get(place.origin);
  }
  /** The child's parent, if it is live. An outcome without room for metadata does not name it: then the run with its origin is looked for. */
  parentOf(child: FinishedRun, live: LiveRuns): LiveRun | undefined {
    const family = this.of(child);
    if (family === undefined || family.parent === null) return undefined;
    family.parent ??= keyOfOrigin(family.origin, live) ?? undefined;
    const parent = family.parent === undefined ? undefined : live.get(family.parent);
    return parent?.origin === family.origin ? parent : undefined;
  }
  /** A run that parks is the parent of the family with its origin, whatever happened to the children's metadata. */
  adopt(parent: LiveRun): void {
    const family = this.#byOrigin.get(parent.origin);
    if (family !== undefined) family.parent = parent.key;
  }
  born(child: LiveRun): void {
    const family = this.#familyOf(child);
    family?.live.add(child);
  }
  /** The child is no longer live. */
  left(child: LiveRun): void {
    const family = this.of(child);
    if (family === undefined) return;
    family.live.delete(child);
    this.#dropEmpty(family);
  }
  ended(child: FinishedRun): void {
    const family = this.#familyOf(child);
    if (family !== undefined) count(family, child, 1);
  }
  forgotten(child: FinishedRun): void {
    const family = this.of(child);
    if (family === undefined) return;
    count(family, child, -1);
    this.#dropEmpty(family);
  }
  /**
   * Whether somebody waits for a child, or may still do so. A live child whose parent is unknown is like any other run. A parent that is not
   * live wants nothing, but that is certain only if the log was read without a gap (`Fold.isWhole`).
   */
  isWanted(child: LiveRun | FinishedRun, live: LiveRuns): boolean {
    const place = isChild(child) ? childPlaceOf(idOf(child)) : undefined;
    const family = place && this.#byOrigin.get(place.origin);
    if (place === undefined || family === undefined) return true;
    if (family.parent === undefined && !("kind" in child)) return true;
    // The outcome of this child had no room for metadata, so it does not name its parent.
    family.parent ??= family.parent === undefined ? keyOfOrigin(place.origin, live) : null;
    const parent = family.parent === null ? undefined : live.get(family.parent);
    if (parent?.origin !== place.origin) return false;
    return parent.flow === undefined || isWanted(parent.flow, place);
  }

  #familyOf(child: LiveRun | FinishedRun): Family | undefined {
    const place = childPlaceOf(idOf(child));
    if (place === undefined) return undefined;
    const family = this.#byOrigin.get(place.origin) ?? new Family(place.origin);
    this.#byOrigin.set(place.origin, family);
    family.parent ??= child.metadata?.[parentKey];
    return family;
  }
  #dropEmpty(family: Family): void {
    if (family.live.size === 0 && family.groups.size === 0) this.#byOrigin.delete(family.origin);
  }
}

function count({ groups }: Family, child: FinishedRun, by: 1 | -1): void {
  const { lap, ordinal } = childPlaceOf(idOf(child))!;
  const name = nameOf(lap, ordinal);
  const group = groups.get(name) ?? { ended: 0, failed: 0 };
  group.ended += by;
  if (child.kind !== "completed") group.failed += by;
  if (group.ended > 0) groups.set(name, group);
  else groups.delete(name);
}
