// What matching attaches to the live runs of the fold while this engine leads.
import type { LiveRun } from "../fold/live-run.ts";

/**
 * Where a live run is: waiting for its time (`scheduled`, `retrying`), `queued`, held by a worker (`running`), or `waiting` for something outside.
 * `cancelling`: it is to be cancelled, once no worker can be executing it. `ending`: an outcome of this engine is on its way to the log.
 * `gone`: it is finished, or not placed yet.
 */
export type Place = "scheduled" | "retrying" | "queued" | "running" | "waiting" | "cancelling" | "ending" | "gone";

const placeNames: readonly Place[] = [
  ...(["gone", "scheduled", "retrying", "queued", "running", "ending", "cancelling", "waiting"] as const),
];
const placeCodes = Object.fromEntries(placeNames.map((place, code) => [place, code])) as Record<Place, number>;
const queuedCode = placeCodes.queued;
const placeMask = 7;
const listed = 8;

export const placeOf = (run: LiveRun): Place => placeNames[run.soft & placeMask]!;

/** The same as `placeOf(run) === "queued"`, but faster: queues check it for each run they meet. */
export const isQueued = (run: LiveRun): boolean => (run.soft & placeMask) === queuedCode;

/** Written by `setPlace` only, which keeps the counts right. */
export function writePlace(run: LiveRun, place: Place): void {
  run.soft = (run.soft & listed) | placeCodes[place];
}
/** Whether a ready queue has an item for the run, alive or not. */
export const isListed = (run: LiveRun): boolean => (run.soft & listed) !== 0;

export function setListed(run: LiveRun, isListed: boolean): void {
  run.soft = isListed ? run.soft | listed : run.soft & placeMask;
}
/** Why the run should be cancelled: what the log says, or else the request to this engine. */
export const cancelReasonOf = (run: LiveRun): string | undefined => run.trail?.cancelWish?.reason ?? run.askedReason;
