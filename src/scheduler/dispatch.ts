import { Heap } from "./heap.ts";
import type { Lane } from "./limits/lanes.ts";
import type { LiveRun } from "./live-run.ts";
import type { SchedulerState } from "./state.ts";
import { setPlace, type TaskQueue } from "./task-queue.ts";
import type { WorkerRecord } from "./workers.ts";

/** Where the runs of a task come from: its queue, or its lanes where it has limits. */
interface Source {
  readonly isLimited: boolean;
  readonly headPriority: number;
  head(): LiveRun | undefined;
  /** Takes the run that `head` returned last; its lane, if it has one. */
  pop(): Lane | undefined;
}
/** A task that has a run and workers for it. */
interface Candidate {
  readonly source: Source;
  readonly offers: Heap<Offer>;
  head: LiveRun;
  priority: number;
}
/** A worker as it stood when it was put in order; it may have been given runs since. */
interface Offer {
  readonly worker: WorkerRecord;
  free: number;
  lastAssigned: number;
}
interface Batch {
  readonly id: number;
  readonly runs: LiveRun[];
}

/** Highest priority first, then oldest, across all tasks. */
const goesFirst = (a: Candidate, b: Candidate): boolean =>
  a.priority > b.priority || (a.priority === b.priority && a.head.origin < b.head.origin);
/** Most free slots first; among equals the one that waited longest. */
const offersMore = (a: Offer, b: Offer): boolean =>
  a.free > b.free || (a.free === b.free && a.lastAssigned < b.lastAssigned);

/**
 * Matches queued runs with free slots until one of the two runs out. What a worker gets travels as one command.
 *
 * Never more than the free slots of a worker, never a task that it does not have.
 */
export function dispatch(state: SchedulerState): void {
  if (!state.isLeading || state.hold !== undefined) return;
  const candidates = collectCandidates(state);
  const batches = new Map<WorkerRecord, Batch>();
  for (let best = candidates.first(); best !== undefined; best = candidates.first()) {
    // A limit that tasks share may be full by now.
    if (best.source.isLimited && best.source.head() !== best.head) {
      goOn(candidates, best);
      continue;
    }
    const worker = chooseWorker(best.offers);
    if (worker === undefined) {
      candidates.pop();
      continue;
    }
    const lane = best.source.pop();
    assign(state, best.head, worker, batchOf(state, worker, batches), lane);
    goOn(candidates, best);
  }
}

/** Puts the first candidate where its next run belongs. */
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

function collectCandidates(state: SchedulerState): Heap<Candidate> {
  const candidates = new Heap<Candidate>(goesFirst);
  for (const queue of state.queues.values()) {
    if (queue.counts.queued === 0 || queue.isPaused) continue;
    const source = sourceOf(state, queue);
    if (source === undefined) continue;
    const offers = new Heap<Offer>(offersMore);
    for (const worker of queue.workers) {
      if (worker.isAssignable && worker.free > 0)
        offers.push({ worker, free: worker.free, lastAssigned: worker.lastAssigned });
    }
    const head = offers.size === 0 ? undefined : source.head();
    if (head !== undefined) candidates.push({ source, offers, head, priority: source.headPriority });
  }
  return candidates;
}

/** Undefined while it is not known what counts for the limits of the task. */
function sourceOf(state: SchedulerState, queue: TaskQueue): Source | undefined {
  const { policies, ready } = queue;
  if (policies === undefined) return ready;
  policies.admit(state);
  return policies.isReady ? policies.lanes : undefined;
}

/** Slots only get fewer while runs are dispatched, so an offer that is out of date can only sink. */
function chooseWorker(offers: Heap<Offer>): WorkerRecord | undefined {
  for (let offer = offers.first(); offer !== undefined; offer = offers.first()) {
    const { worker } = offer;
    if (worker.free <= 0) offers.pop();
    else if (offer.lastAssigned === worker.lastAssigned) return worker;
    else {
      offer.free = worker.free;
      offer.lastAssigned = worker.lastAssigned;
      offers.sinkFirst();
    }
  }
  return undefined;
}

function batchOf(state: SchedulerState, worker: WorkerRecord, batches: Map<WorkerRecord, Batch>): Batch {
  let batch = batches.get(worker);
  if (batch === undefined) {
    batch = { id: ++state.lastBatch, runs: [] };
    batches.set(worker, batch);
    worker.batches.set(batch.id, batch.runs);
    state.commands.push({ type: "assign", worker: worker.id, batch: batch.id, epoch: state.epoch, runs: batch.runs });
  }
  return batch;
}

function assign(state: SchedulerState, run: LiveRun, worker: WorkerRecord, batch: Batch, lane: Lane | undefined): void {
  const { key, turn, origin } = run;
  setPlace(run, "running");
  run.worker = worker;
  worker.lastAssigned = ++state.assignedCount;
  worker.occupy({
    key,
    turn,
    origin,
    run,
    batch: batch.id,
    isAcknowledged: false,
    startedAt: state.now,
    missedBeats: 0,
    lane,
    next: undefined,
  });
  batch.runs.push(run);
}
