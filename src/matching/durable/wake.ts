// Waking: what makes a sleeping run look whether it can continue.
import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { placeRun } from "../placement.ts";
import { isPast, isReady } from "./readiness.ts";

/** After this long without an answer, the end of the log is asked for again. Units: milliseconds */
const askAgainMs = 2_000;
/** How often runs without matching code look for a worker with other code that has a free slot. Units: milliseconds */
const misfitsEveryMs = 1_000;
/** The same after one was found, which may soon have the next free slot. */
const misfitsAgainMs = 100;

/** Something has arrived that the run may be waiting for. */
export function wake(state: Matching, run: LiveRun): void {
  if (placeOf(run) === "waiting" && isReady(state.fold, run)) placeRun(state, run);
}

/** Wakes runs whose deadline has passed by the log's time. This engine's clock does not count: a signal stored before the deadline may not be read yet. */
export function wakeSleepers(state: Matching): void {
  const { sleeping, fold } = state;
  while (isPast(fold, sleeping.least)) {
    const run = sleeping.pop()!;
    if (fold.live.get(run.key) === run) wake(state, run);
  }
  wakeMisfits(state);
}

/** Asks where the log ends if something depends on it: a deadline that has passed by this engine's clock, or a gap. */
export function askForEnd(state: Matching): void {
  const { step, fold } = state;
  if (fold.isWhole && state.sleeping.least >= step.now) return;
  if (step.uptime - state.askedEndAt < askAgainMs) return;
  state.askedEndAt = step.uptime;
  step.commands.push({ type: "askForEnd", gaps: fold.gaps });
}

/** The log is folded up to the end that was asked for. */
export function endReached(state: Matching): void {
  state.askedEndAt = Number.NEGATIVE_INFINITY;
}

/** When the next tick must come for sleeping runs. Units: epoch milliseconds */
export function nextWake({ sleeping, flowLimits, misfits, nextMisfitsAt, step }: Matching): number {
  const first = sleeping.least + 1;
  // Once it has passed, the end of the log is asked for, and the answer brings a tick.
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
