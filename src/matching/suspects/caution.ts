// Caution: noting attempts in the bucket before they are sent. What a leader assigns within its own process dies with it, and nobody sees it.
// So after a leader has died, and for runs that were lost before, it is noted first: then the next leader knows what may have killed this one.

import type { LiveRun } from "../../fold/live-run.ts";
import type { Matching } from "../matching.ts";
import type { Booking, WorkerRecord } from "../workers.ts";
import { isEnding, isolate, wasAlone } from "./suspects.ts";
import type { StoreTriedCommand, Tried } from "./tried.ts";

/** How many assignments are noted after a leader has died: what was executing then is among the first to be assigned again. */
const cautiousFor = 2_000;
/** Most attempts noted at the same time: all must fit into one record. */
const mostTried = 500;
/** Most of them that were never lost and execute in other processes. */
const mostElsewhere = 100;

/** A leader has died. Whether workers of its process have died too will show: they do not come back. */
export function beCautious(state: Matching): void {
  const isProven = state.caution?.isProven === true; // inherited
  state.caution = { upTo: state.fold.position, left: cautiousFor, isProven };
}

/** A worker known to the previous leader has not come back. Stored, since later leaders must be as cautious however this one ends. */
export function proveCaution(state: Matching): void {
  const { caution } = state;
  if (caution === undefined || caution.isProven) return;
  caution.isProven = true;
  state.step.commands.push(storeTried(state));
}

/** All workers have come back, so none of their runs killed the previous leader. */
export function endCaution(state: Matching): void {
  if (state.caution?.isProven === false) state.caution = undefined;
}

/**
 * Whether this attempt is noted before it is sent. A run that was lost before always is, as this leader may die before it has stored the next
 * loss. Of the runs that were live when a leader died: all those on workers of this process, which may kill this leader, and a few elsewhere.
 */
export function mustNote(state: Matching, worker: WorkerRecord, { lost, origin }: LiveRun): boolean {
  if (lost > 0) return true;
  const { caution } = state;
  if (caution === undefined || origin >= caution.upTo + 1) return false;
  return worker.isOurs || hasRoomToNote(state, mostElsewhere);
}

/** Whether the run must wait: it may start in this process only once noted, and there is no room for more notes. */
export const mustWaitToNote = (state: Matching, worker: WorkerRecord, run: LiveRun): boolean =>
  worker.isOurs && mustNote(state, worker, run) && !hasRoomToNote(state);

export function hasRoomToNote(state: Matching, most = mostTried): boolean {
  if (state.tried.size >= most) dropEnded(state);
  return state.tried.size < most;
}

/** The command that stores all noted attempts that have not ended. They are sent only once it is done. */
export function storeTried(state: Matching): StoreTriedCommand {
  dropEnded(state);
  const { caution } = state;
  const tried = Array.from(state.tried, ([{ key, turn, run }, worker]) => ({
    key,
    turn,
    worker: worker.id,
    ...(run !== undefined && wasAlone(state, worker, run) && { alone: true }),
  }));
  const cautious = caution?.isProven === true ? { cautious: { upTo: caution.upTo, left: caution.left } } : {};
  return { type: "storeTried", tried, ...cautious };
}

/** Drops notes of ended attempts, but not where the loss is still on its way to the log: if this leader dies before, only the note tells of it. */
function dropEnded({ tried }: Matching): void {
  for (const [booking, worker] of tried) {
    const { run, origin, turn } = booking;
    const isUnderWay = run !== undefined && isEnding(run, turn);
    if (worker.find(origin, turn) !== booking && !isUnderWay) tried.delete(booking);
  }
}

/** Keeps a note of the previous leader, whose record this one replaces: an attempt stays noted until it has ended, whoever leads. */
export function keepNoted(state: Matching, { key, turn, worker: id, alone }: Tried): void {
  const run = state.fold.live.get(key);
  const worker = state.workers.get(id);
  const booking = run && worker?.find(run.origin, turn);
  if (run === undefined || worker === undefined || booking === undefined) return;
  state.tried.set(booking, worker);
  if (alone === true) isolate(state, worker.process, run, worker);
}

/** A worker was found executing this attempt. Returns whether it is noted now, and must be stored: the previous leader may not have noted it. */
export function noteFound(state: Matching, booking: Booking, worker: WorkerRecord): boolean {
  const { run } = booking;
  if (run === undefined || state.tried.has(booking) || !(run.lost > 0 || worker.isOurs)) return false;
  if (!mustNote(state, worker, run) || !hasRoomToNote(state)) return false;
  note(state, booking, worker);
  return true;
}

export function note(state: Matching, booking: Booking, worker: WorkerRecord): void {
  state.tried.set(booking, worker);
  if (state.caution !== undefined && --state.caution.left <= 0) state.caution = undefined;
}
