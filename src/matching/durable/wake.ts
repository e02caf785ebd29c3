// When a waiting run continues.
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { placeRun } from "../placement.ts";
import { isPast, isReady } from "./readiness.ts";

/** An answer missing by then is requested again. Units: milliseconds */
const askAgainMs = 2_000;
/** How often runs without matching code are checked: a worker with other code may have a free slot. Units: milliseconds */
const misfitsEveryMs = 1_000;
/** Where it had, it may have the next one soon. */
const misfitsAgainMs = 100;

/** Something has arrived that may be what it waits for. */
export function wake(state: Matching, run: LiveRun): void {
  if (placeOf(run) === "waiting" && isReady(state.fold, run)) placeRun(state, run);
}

/** Runs whose deadline has passed by the log's time, whatever the own clock says: something stored before it may not have been read yet. */
export function wakeSleepers(state: Matching): void {
  const { sleeping, fold } = state;
  while (isPast(fold, sleeping.least)) {
    const run = sleeping.pop()!;
    if (fold.live.get(run.key) === run) wake(state, run);
  }
  wakeMisfits(state);
}

/** Asks for the end of the log when something depends on it. */
export function askForEnd(state: Matching): void {
  const { step, fold } = state;
  if (fold.isWhole && state.sleeping.least >= step.now) return;
  if (step.uptime - state.askedEndAt < askAgainMs) return;
  state.askedEndAt = step.uptime;
  step.commands.push({ type: "askForEnd", gaps: fold.gaps });
}

/** The requested end is reached. */
export function endReached(state: Matching): void {
  state.askedEndAt = Number.NEGATIVE_INFINITY;
}

/** When somebody has to look again. Units: epoch milliseconds */
export function nextWake({ sleeping, flowLimits, misfits, nextMisfitsAt, step }: Matching): number {
  const first = sleeping.least + 1;
  // Otherwise the awaited answer brings a tick.
  const woken = first > step.now ? first : Number.POSITIVE_INFINITY;
  const looked = misfits.size === 0 ? Number.POSITIVE_INFINITY : step.now + Math.max(nextMisfitsAt - step.uptime, 1);
  return Math.min(woken, flowLimits.least, looked);
}

function wakeMisfits(state: Matching): void {
  const { misfits, step } = state;
  if (misfits.size === 0 || step.uptime < state.nextMisfitsAt) return;
  let hasPlaced = false;
  for (const run of misfits) {
    const isWaiting = state.fold.live.get(run.key) === run && placeOf(run) === "waiting";
    if (isWaiting && !isReady(state.fold, run)) continue;
    misfits.delete(run);
    if (!isWaiting) continue;
    placeRun(state, run);
    hasPlaced = true;
  }
  state.nextMisfitsAt = step.uptime + (hasPlaced ? misfitsAgainMs : misfitsEveryMs);
}
