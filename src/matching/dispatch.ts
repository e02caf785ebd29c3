import { Heap } from "../collections/heap.ts";
import type { Resume } from "../domain/durable.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { hasRoomToNote, mustNote, mustWaitToNote, note, storeTried } from "./caution.ts";
import { claimForStarved, dropVoidClaims, giveUpClaim, type Starved } from "./claims.ts";
import type { AssignCommand } from "./commands.ts";
import { mayFit, resumeOf } from "./durable/readiness.ts";
import { sleep } from "./durable/sleep.ts";
import type { Gathering, Lane } from "./limits/lanes.ts";
import { weighLimits } from "./limits/strategies.ts";
import type { Matching } from "./matching.ts";
import { type Needs, suitability } from "./needs.ts";
import { isIsolated, isSuspect, readySuspects, setAside } from "./suspects.ts";
import { setPlace, type TaskQueue } from "./task-queue.ts";
import { isHolding, withheldUntil } from "./unheard.ts";
import type { Booking, WorkerRecord } from "./workers.ts";

/** Where the runs of a task come from: its queue, or its lanes if it has limits. */
interface Source {
  /** What its runs require of a worker; undefined = nothing. */
  readonly needs: Needs | undefined;
  readonly isLimited: boolean;
  readonly headPriority: number;
  head(): LiveRun | undefined;
  /** Takes the run that `head` returned last; its lane, if it has one. */
  pop(): Lane | undefined;
}
/** A task with a waiting run and workers for it. */
interface Candidate {
  readonly queue: TaskQueue;
  readonly source: Source;
  /** Slots that each of its runs takes. */
  readonly units: number;
  readonly offers: Heap<Offer>;
  head: LiveRun;
  priority: number;
}
/** A worker as it was when sorted; it may have got runs since. */
interface Offer {
  readonly worker: WorkerRecord;
  /** How well it suits. */
  readonly weight: number;
  free: number;
  lastAssigned: number;
}
interface Batch {
  readonly runs: LiveRun[];
  readonly followers: Set<LiveRun>;
  readonly command: Omit<AssignCommand, "isNoted" | "resumes"> & { isNoted?: boolean; resumes?: Map<LiveRun, Resume> };
}

/** Highest priority first, then oldest, across all tasks. */
const goesFirst = (a: Candidate, b: Candidate): boolean =>
  a.priority > b.priority || (a.priority === b.priority && a.head.origin < b.head.origin);
/** Best suited first; then most free slots; among equals the one that waited longest. */
const offersMore = (a: Offer, b: Offer): boolean =>
  a.weight !== b.weight
    ? a.weight > b.weight
    : a.free > b.free || (a.free === b.free && a.lastAssigned < b.lastAssigned);

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
  const batches = new Map<WorkerRecord, Batch>();
  const starved: Starved[] = [];
  const from = state.step.commands.length;
  if (state.suspects.length > 0 || state.isolated.size > 0) assignSuspects(state, batches);
  while (assignReady(state, batches, starved)) {} // what a claim kept free is for all
  if (starved.length > 0) claimForStarved(state, starved);
  if (isNoted(batches)) state.step.commands.splice(from, 0, storeTried(state));
}

/** Until there are no runs, or no slots for them; true when slots were kept for a run that has begun now. */
function assignReady(state: Matching, batches: Map<WorkerRecord, Batch>, starved: Starved[]): boolean {
  let hasFreed = false;
  const candidates = collectCandidates(state);
  for (let best = candidates.first(); best !== undefined; best = candidates.first()) {
    state.step.about = best.head;
    // A shared limit may be full by now.
    if (best.source.isLimited && best.source.head() !== best.head) {
      goOn(candidates, best);
      continue;
    }
    if (best.head.lost > 0 && isSuspect(state, best.head)) {
      const { head: run, units, source } = best;
      setAside(state, { run, units, needs: source.needs, lane: source.pop() });
      assignSuspects(state, batches);
      goOn(candidates, best);
      continue;
    }
    const worker = best.head.flow === undefined ? chooseWorker(state, best) : chooseForFlow(state, best);
    if (worker === "none has its code") {
      const run = best.head;
      const lane = best.source.pop();
      lane?.refund();
      lane?.giveBack();
      sleep(state, run);
      goOn(candidates, best);
      continue;
    }
    if (worker === undefined) {
      candidates.pop();
      if (best.units > 1 && !starved.some(({ queue }) => queue === best.queue))
        starved.push({ queue: best.queue, units: best.units, needs: best.source.needs });
      continue;
    }
    const lane = best.source.pop();
    const batch = batchOf(state, worker, batches);
    assign(state, best.head, best.units, worker, batch, lane);
    if (lane?.batch !== undefined) gatherBatch(state, best.head, worker, batch, lane.batch);
    if (best.queue.overtaken > 0 && giveUpClaim(state, best.queue)) hasFreed = true;
    for (const { queue } of starved) if (queue.workers.has(worker)) queue.overtaken++;
    goOn(candidates, best);
  }
  return hasFreed;
}

/** Those that have a process for themselves now. */
function assignSuspects(state: Matching, batches: Map<WorkerRecord, Batch>): void {
  for (const { run, units, worker, lane } of readySuspects(state))
    assign(state, run, units, worker, batchOf(state, worker, batches), lane);
}

function isNoted(batches: Map<WorkerRecord, Batch>): boolean {
  for (const { command } of batches.values()) if (command.isNoted === true) return true;
  return false;
}

/** Moves the first candidate to where its next run belongs. */
function goOn(candidates: Heap<Candidate>, first: Candidate): void {
  const next = first.source.head();
  if (next === undefined) {
    candidates.pop();
    return;
  }
  first.head = next;
  first.priority = first.source.headPriority;
  candidates.sinkFirst();
}

function collectCandidates(state: Matching): Heap<Candidate> {
  const candidates = new Heap<Candidate>(goesFirst);
  if (!hasRoom(state)) return candidates;
  for (const queue of state.queueIndex.ready) {
    if (queue.isPaused) continue;
    state.step.about = queue;
    const { policies } = queue;
    if (policies === undefined) collectFrom(state, queue, queue.ready, candidates);
    else if (state.unheard.size > 0 && withheldUntil(state, queue) !== undefined) continue;
    else if (policies.isReady) for (const lanes of policies.groups()) collectFrom(state, queue, lanes, candidates);
  }
  return candidates;
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

function hasRoom({ workers }: Matching): boolean {
  for (const worker of workers.values()) if (worker.hasRoom) return true;
  return false;
}

function collectFrom(state: Matching, queue: TaskQueue, source: Source, candidates: Heap<Candidate>): void {
  const offers = new Heap<Offer>(offersMore);
  const { needs } = source;
  for (const worker of queue.workers) {
    if (!worker.hasRoom) continue;
    if (worker.claimedBy !== undefined && worker.claimedBy !== queue.log) continue;
    if (isIsolated(state, worker)) continue;
    const weight = needs === undefined ? 0 : suitability(needs, worker);
    if (weight !== undefined) offers.push({ worker, weight, free: worker.free, lastAssigned: worker.lastAssigned });
  }
  const head = offers.size === 0 ? undefined : source.head();
  if (head === undefined) return;
  candidates.push({ queue, source, units: queue.units, offers, head, priority: source.headPriority });
}

/** Free slots only decrease during dispatch, so an outdated offer can only sink, and one that is too small stays so. */
function chooseWorker(state: Matching, { offers, units, head }: Candidate): WorkerRecord | undefined {
  for (let offer = offers.first(); offer !== undefined; offer = offers.first()) {
    const { worker } = offer;
    if (worker.free < units || !worker.takesMore || isIsolated(state, worker)) offers.pop();
    else if (mustWaitToNote(state, worker, head)) offers.pop();
    else if (offer.lastAssigned === worker.lastAssigned) return worker;
    else {
      offer.free = worker.free;
      offer.lastAssigned = worker.lastAssigned;
      offers.sinkFirst();
    }
  }
  return undefined;
}

/** The worker that may still have its frame, if there is room; a run without matching code goes only to a worker with other code. */
function chooseForFlow(state: Matching, candidate: Candidate): WorkerRecord | "none has its code" | undefined {
  const { queue, source, units, head } = candidate;
  const { blocked, worker: last } = head.flow!;
  const takes = (worker: WorkerRecord): boolean =>
    worker.hasRoom &&
    worker.free >= units &&
    (worker.claimedBy === undefined || worker.claimedBy === queue.log) &&
    !isIsolated(state, worker) &&
    !mustWaitToNote(state, worker, head) &&
    (source.needs === undefined || suitability(source.needs, worker) !== undefined);
  if (blocked === undefined || blocked.again !== undefined) {
    const warm = state.workers.get(last);
    return warm !== undefined && queue.workers.has(warm) && takes(warm) ? warm : chooseWorker(state, candidate);
  }
  for (const worker of queue.workers) if (mayFit(worker, queue.name, blocked) && takes(worker)) return worker;
  return "none has its code";
}

function batchOf(state: Matching, worker: WorkerRecord, batches: Map<WorkerRecord, Batch>): Batch {
  let batch = batches.get(worker);
  if (batch === undefined) {
    const runs: LiveRun[] = [];
    const followers = new Set<LiveRun>();
    const { epoch } = state;
    const command = {
      type: "assign" as const,
      worker: worker.id,
      batch: ++state.step.lastBatch,
      epoch,
      runs,
      followers,
    };
    batch = { runs, followers, command };
    batches.set(worker, batch);
    worker.batches.set(command.batch, runs);
    state.step.commands.push(command);
  }
  return batch;
}

/** Those that go with the first share its slots. */
function gatherBatch(state: Matching, first: LiveRun, worker: WorkerRecord, batch: Batch, gathering: Gathering): void {
  for (const run of gathering.takeFollowers(first)) {
    batch.followers.add(run);
    assign(state, run, 0, worker, batch, gathering.lane);
  }
}

function assign(
  state: Matching,
  run: LiveRun,
  units: number,
  worker: WorkerRecord,
  batch: Batch,
  lane: Lane | undefined,
): void {
  const { key, turn, origin } = run;
  setPlace(run, "running");
  run.holder = worker;
  worker.lastAssigned = ++state.assignedCount;
  const booking: Booking = {
    key,
    turn,
    origin,
    run,
    units,
    batch: batch.command.batch,
    isAcknowledged: false,
    startedAt: state.step.now,
    missedBeats: 0,
    wasNamed: false,
    since: state.step.uptime,
    hasBegun: lane === undefined,
    lane,
    next: undefined,
  };
  worker.occupy(booking);
  batch.runs.push(run);
  const resume = resumeOf(state.fold, run);
  if (resume !== undefined) {
    batch.command.resumes ??= new Map();
    batch.command.resumes.set(run, resume);
  }
  worker.unacknowledged++;
  if (!mustNote(state, worker, run) || !hasRoomToNote(state)) return;
  note(state, booking, worker);
  batch.command.isNoted = true;
}
