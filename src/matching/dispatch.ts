// Dispatch: what a leader does at each tick to match queued runs with free slots.
import { Assignments } from "./assignments.ts";
import { type Candidate, chooseWorker, collectCandidates, goOn } from "./candidates.ts";
import { claimForStarved, dropVoidClaims, giveUpClaim, type Starved } from "./claims.ts";
import { sleep } from "./durable/sleep.ts";
import { weighLimits } from "./limits/strategies.ts";
import type { Matching } from "./matching.ts";
import { storeTried } from "./suspects/caution.ts";
import { isSuspect, readySuspects, setAside } from "./suspects/suspects.ts";
import { isHolding } from "./unseen/unheard.ts";
import type { WorkerRecord } from "./workers.ts";

/**
 * Matches queued runs with free slots until either runs out. All that a worker gets is one command.
 *
 * A worker never gets more than its free slots hold, and never a task that it does not have.
 */
export function dispatch(state: Matching): void {
  if (isHolding(state)) return;
  if (state.claimed.size > 0) dropVoidClaims(state);
  if (state.unweighed.size > 0) weighLimits(state);
  admitArrivals(state);
  const assignments = new Assignments(state);
  const starved: Starved[] = [];
  const from = state.step.commands.length;
  if (state.suspects.length > 0 || state.isolated.size > 0) startSuspects(state, assignments);
  while (startReady(state, assignments, starved)) {} // slots that a claim has kept free may be taken by anybody now
  if (starved.length > 0) claimForStarved(state, starved);
  if (assignments.hasNoted) state.step.commands.splice(from, 0, storeTried(state));
}

/** Starts runs until none are left, or no slots for them. Returns whether a claim has ended, which leaves slots for another round. */
function startReady(state: Matching, assignments: Assignments, starved: Starved[]): boolean {
  let hasFreed = false;
  const candidates = collectCandidates(state);
  for (let best = candidates.first(); best !== undefined; best = candidates.first()) {
    const { head, source } = best;
    state.step.about = head;
    const isOver = source.isLimited && source.head() !== head; // a shared limit may be full by now
    if (!isOver && isSuspect(state, head)) tryAlone(state, best, assignments);
    else if (!isOver) {
      const worker = chooseWorker(state, best);
      if (worker === undefined) {
        candidates.pop();
        noteStarved(starved, best);
        continue;
      }
      if (worker === "none has its code") sleepAgain(state, best);
      else if (start(state, best, worker, assignments, starved)) hasFreed = true;
    }
    goOn(candidates, best);
  }
  return hasFreed;
}

/** Starts the first run of a candidate. Returns whether that ends a claim of its task. */
function start(
  state: Matching,
  { head, queue, units, source }: Candidate,
  worker: WorkerRecord,
  assignments: Assignments,
  starved: readonly Starved[],
): boolean {
  const lane = source.pop();
  assignments.start(head, units, worker, lane);
  if (lane?.batch !== undefined) assignments.startFollowers(head, worker, lane.batch);
  const hasFreed = queue.overtaken > 0 && giveUpClaim(state, queue);
  for (const other of starved) if (other.queue.workers.has(worker)) other.queue.overtaken++;
  return hasFreed;
}

function noteStarved(starved: Starved[], { queue, units, source }: Candidate): void {
  if (units > 1 && !starved.some((other) => other.queue === queue)) starved.push({ queue, units, needs: source.needs });
}

function tryAlone(state: Matching, { head: run, units, source }: Candidate, assignments: Assignments): void {
  setAside(state, { run, units, needs: source.needs, lane: source.pop() });
  startSuspects(state, assignments);
}

/** Starts the suspects that have a process to themselves now. */
function startSuspects(state: Matching, assignments: Assignments): void {
  for (const { run, units, worker, lane } of readySuspects(state)) assignments.start(run, units, worker, lane);
}

/** No worker has code that matches the run's journal, so it sleeps until one with other code comes. */
function sleepAgain(state: Matching, { head, source }: Candidate): void {
  const lane = source.pop();
  lane?.refund();
  lane?.giveBack();
  sleep(state, head);
}

/** Finds out the keys of new runs, also where no worker has their task: a limit may cancel one of them at once. */
function admitArrivals(state: Matching): void {
  const { arriving } = state.queueIndex;
  for (const queue of arriving) {
    if (queue.isPaused) continue;
    state.step.about = queue;
    queue.policies?.admit();
    if (queue.policies?.hasArrivals !== true) arriving.delete(queue);
  }
}
