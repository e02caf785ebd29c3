// Which tasks have a run to start, and which workers have room for it.
import { Heap } from "../collections/heap.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { mayFit } from "./durable/readiness.ts";
import type { Lane } from "./limits/lanes.ts";
import type { Matching } from "./matching.ts";
import { type Needs, suitability } from "./needs.ts";
import { mustWaitToNote } from "./suspects/caution.ts";
import { isIsolated } from "./suspects/suspects.ts";
import type { TaskQueue } from "./task-queue.ts";
import { withheldUntil } from "./unseen/unheard.ts";
import type { WorkerRecord } from "./workers.ts";

/** Where the runs of a task come from: its queue, or its lanes if it has limits. */
export interface Source {
  /** What its runs require of a worker; undefined = nothing. */
  readonly needs: Needs | undefined;
  readonly isLimited: boolean;
  readonly headPriority: number;
  head(): LiveRun | undefined;
  /** Takes the run that `head` returned last. Returns its lane, if the task has limits. */
  pop(): Lane | undefined;
}
/** A task with a waiting run and workers for it. */
export interface Candidate {
  readonly queue: TaskQueue;
  readonly source: Source;
  /** Slots that each of its runs takes. */
  readonly units: number;
  readonly offers: Heap<Offer>;
  head: LiveRun;
  priority: number;
}
/** A worker as it was when the offers were sorted; it may have been given runs since. */
interface Offer {
  readonly worker: WorkerRecord;
  /** How well the worker suits what the runs require. */
  readonly weight: number;
  isNear: boolean;
  free: number;
  lastAssigned: number;
}
/** Highest priority first, then oldest, across all tasks. */
const goesFirst = (a: Candidate, b: Candidate): boolean =>
  a.priority > b.priority || (a.priority === b.priority && a.head.origin < b.head.origin);
/** Best suited first; then one in the engine's process; then most free slots; among equals the one that waited longest. */
function offersMore(a: Offer, b: Offer): boolean {
  if (a.weight !== b.weight) return a.weight > b.weight;
  if (a.isNear !== b.isNear) return a.isNear;
  return a.free > b.free || (a.free === b.free && a.lastAssigned < b.lastAssigned);
}

/** A nearby worker is preferred until one in this many of its slots, and at least one, is taken. */
const nearShare = 8;

/**
 * Whether a worker of the engine's own process is preferred, which a run reaches without a message (ADR 65). In a steady stream of single runs, messages
 * are most of what a run costs, so a few go there first. When more are waiting they are spread, since a message then carries many. So are all while user
 * code delays the engine, and after a leader has died: such a run may have killed it.
 */
function isNear(state: Matching, { isOurs, busy, slots }: WorkerRecord, { counts }: TaskQueue): boolean {
  if (!isOurs || !state.pace.isBrisk || state.caution !== undefined) return false;
  return busy + counts.queued <= Math.max(slots / nearShare, 1);
}

export function collectCandidates(state: Matching): Heap<Candidate> {
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

function hasRoom({ workers }: Matching): boolean {
  for (const worker of workers.values()) if (worker.hasRoom) return true;
  return false;
}

function collectFrom(state: Matching, queue: TaskQueue, source: Source, candidates: Heap<Candidate>): void {
  const offers = new Heap<Offer>(offersMore);
  const { needs } = source;
  for (const worker of queue.workers) {
    if (!hasRoomFor(state, worker, queue)) continue;
    const weight = needs === undefined ? 0 : suitability(needs, worker);
    if (weight === undefined) continue;
    const { free, lastAssigned } = worker;
    offers.push({ worker, weight, isNear: isNear(state, worker, queue), free, lastAssigned });
  }
  const head = offers.size === 0 ? undefined : source.head();
  if (head === undefined) return;
  candidates.push({ queue, source, units: queue.units, offers, head, priority: source.headPriority });
}

const hasRoomFor = (state: Matching, worker: WorkerRecord, { log }: TaskQueue): boolean =>
  worker.hasRoom && (worker.claimedBy === undefined || worker.claimedBy === log) && !isIsolated(state, worker);

/** The worker for the candidate's first run; undefined if there is no room now for any of its runs. */
export const chooseWorker = (state: Matching, candidate: Candidate): WorkerRecord | "none has its code" | undefined =>
  candidate.head.flow === undefined ? withMostRoom(state, candidate) : forFlow(state, candidate);

/** The best offer that still holds. Free slots only decrease during a dispatch, so an outdated offer can only sink, and one that is too small stays so. */
function withMostRoom(state: Matching, { queue, offers, units, head }: Candidate): WorkerRecord | undefined {
  for (let offer = offers.first(); offer !== undefined; offer = offers.first()) {
    const { worker } = offer;
    if (!fits(worker, queue, units) || !worker.takesMore || isIsolated(state, worker)) offers.pop();
    else if (mustWaitToNote(state, worker, head)) offers.pop();
    else if (offer.lastAssigned === worker.lastAssigned) return worker;
    else {
      offer.isNear = isNear(state, worker, queue);
      offer.free = worker.free;
      offer.lastAssigned = worker.lastAssigned;
      offers.sinkFirst();
    }
  }
  return undefined;
}

/** Only a run that nothing but slots holds back may be assigned beyond them. */
const fits = (worker: WorkerRecord, queue: TaskQueue, units: number): boolean =>
  worker.free >= units || (worker.takesAhead && units === 1 && queue.policies === undefined);

/** A parked run goes to the worker that may still have its frame, if there is room; one that waits for matching code only to a worker with other code. */
function forFlow(state: Matching, candidate: Candidate): WorkerRecord | "none has its code" | undefined {
  const { queue, source, units, head } = candidate;
  const { blocked, worker: last } = head.flow!;
  const takes = (worker: WorkerRecord): boolean =>
    hasRoomFor(state, worker, queue) &&
    worker.free >= units &&
    !mustWaitToNote(state, worker, head) &&
    (source.needs === undefined || suitability(source.needs, worker) !== undefined);
  if (blocked === undefined || blocked.again !== undefined) {
    const warm = state.workers.get(last);
    return warm !== undefined && queue.workers.has(warm) && takes(warm) ? warm : withMostRoom(state, candidate);
  }
  for (const worker of queue.workers) if (mayFit(worker, queue.name, blocked) && takes(worker)) return worker;
  return "none has its code";
}

/** Moves the first candidate to where its next run belongs. */
export function goOn(candidates: Heap<Candidate>, first: Candidate): void {
  const next = first.source.head();
  if (next === undefined) {
    candidates.pop();
    return;
  }
  first.head = next;
  first.priority = first.source.headPriority;
  candidates.sinkFirst();
}
