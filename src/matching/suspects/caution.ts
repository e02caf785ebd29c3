// What the leader assigns within its own process dies with it unseen. After a leader has died, and for runs that were lost before, it is
// stored before it is sent, so that the next leader knows what this one died of.

import type { LiveRun } from "../../fold/live-run.ts";
import type { Matching } from "../matching.ts";
import type { Booking, WorkerRecord } from "../workers.ts";
import { isEnding, isolate, wasAlone } from "./suspects.ts";
import type { StoreTriedCommand, Tried } from "./tried.ts";

/** Whatever was executing when a leader died is among the first to be assigned again. */
const cautiousFor = 2_000;
/** Most attempts noted at the same time: all must fit into one record. */
const mostTried = 500;
/** Of those that were never lost, and execute in other processes. */
const mostElsewhere = 100;

/** A leader died; whether workers of its process did as well shows when they do not come back. */
export function beCautious(state: Matching): void {
  const isProven = state.caution?.isProven === true; // inherited
  state.caution = { upTo: state.fold.position, left: cautiousFor, isProven };
}

/** A worker known to the previous leader has not come back. Later leaders must be as cautious, however this one ends. */
export function proveCaution(state: Matching): void {
  const { caution } = state;
  if (caution === undefined || caution.isProven) return;
  caution.isProven = true;
  state.step.commands.push(storeTried(state));
}

/** All workers came back: none of their runs killed the previous leader. */
export function endCaution(state: Matching): void {
  if (state.caution?.isProven === false) state.caution = undefined;
}

/**
 * Whether what this worker gets is stored first: runs that were lost before always, as this leader may die before recording the next loss;
 * of the runs there when a leader died, all that may kill this one, and a few that may kill others.
 */
export function mustNote(state: Matching, worker: WorkerRecord, { lost, origin }: LiveRun): boolean {
  if (lost > 0) return true;
  const { caution } = state;
  if (caution === undefined || origin >= caution.upTo + 1) return false;
  return worker.isOurs || hasRoomToNote(state, mostElsewhere);
}

/** No more of these may execute in this process now. */
export const mustWaitToNote = (state: Matching, worker: WorkerRecord, run: LiveRun): boolean =>
  worker.isOurs && mustNote(state, worker, run) && !hasRoomToNote(state);

export function hasRoomToNote(state: Matching, most = mostTried): boolean {
  if (state.tried.size >= most) dropEnded(state);
  return state.tried.size < most;
}

/** What must be stored before any of it is sent: all noted attempts that have not ended. */
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

/** Not those whose loss is still on its way to the log: should this leader die before it is there, only the note tells the next one of it. */
function dropEnded({ tried }: Matching): void {
  for (const [booking, worker] of tried) {
    const { run, origin, turn } = booking;
    const isUnderWay = run !== undefined && isEnding(run, turn);
    if (worker.find(origin, turn) !== booking && !isUnderWay) tried.delete(booking);
  }
}

/** What this leader stores replaces the previous leader's record: an attempt stays noted until it has ended, whoever leads. */
export function keepNoted(state: Matching, { key, turn, worker: id, alone }: Tried): void {
  const run = state.fold.live.get(key);
  const worker = state.workers.get(id);
  const booking = run && worker?.find(run.origin, turn);
  if (run === undefined || worker === undefined || booking === undefined) return;
  state.tried.set(booking, worker);
  if (alone === true) isolate(state, worker.process, run, worker);
}

/** A worker was found with it. True if it must be stored: this leader may die of it, and the previous one may not have noted it. */
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
