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
 * Matches queued runs with free slots until either runs out. What a worker gets is one command.
 *
 * Never more than the free slots of a worker, never a task that it does not have.
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
  while (startReady(state, assignments, starved)) {} // what a claim kept free is for all
  if (starved.length > 0) claimForStarved(state, starved);
  if (assignments.hasNoted) state.step.commands.splice(from, 0, storeTried(state));
}

/** Until there are no runs, or no slots for them; true when slots were kept for a run that has begun now. */
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

/** Returns whether its task's claim has become free. */
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

/** Those that have a process for themselves now. */
function startSuspects(state: Matching, assignments: Assignments): void {
  for (const { run, units, worker, lane } of readySuspects(state)) assignments.start(run, units, worker, lane);
}

/** Until a worker with other code comes. */
function sleepAgain(state: Matching, { head, source }: Candidate): void {
  const lane = source.pop();
  lane?.refund();
  lane?.giveBack();
  sleep(state, head);
}

/** Finds the keys of new runs, whether there is a worker for them or not: one too many ends at once. */
function admitArrivals(state: Matching): void {
  const { arriving } = state.queueIndex;
  for (const queue of arriving) {
    if (queue.isPaused) continue;
    state.step.about = queue;
    queue.policies?.admit();
    if (queue.policies?.hasArrivals !== true) arriving.delete(queue);
  }
}
