import { Deque } from "../collections/deque.ts";
import type { CancelCause } from "../domain/run.ts";
import { EntryLog } from "../fold/entry-log.ts";
import type { LiveRun, Place } from "../fold/live-run.ts";
import type { TaskDeclaration } from "../wire/messages.ts";
import type { Policies } from "./limits/policies.ts";
import type { QueueIndex } from "./queue-index.ts";
import { ReadyQueue } from "./ready-queue.ts";
import type { WorkerRecord } from "./workers.ts";

/** All that belongs to one task: its queue, its workers, its entries in the stream. Exists as soon as the name was seen once. */
export class TaskQueue {
  readonly name: string;
  /** What the newest registration says; undefined while no worker ever registered the task. */
  definition: TaskDeclaration | undefined = undefined;
  isPaused = false;
  /** Waiting counts from here at the earliest. Units: epoch milliseconds */
  resumedAt = 0;
  /** Who waits, where no policy decides about it. */
  readonly ready = new ReadyQueue();
  /** Limits that the newest registration declares; the runs wait there then. */
  policies: Policies | undefined = undefined;
  /** Runs on their first turn by the time they began to wait, for the schedule timeout. May hold dead ones. */
  readonly waiting = new Deque<LiveRun>();
  /** When the queue is looked at for runs that waited too long; infinite = not at all. Written by `expectExpiry`. Units: epoch milliseconds */
  expiryAt = Number.POSITIVE_INFINITY;
  readonly #workers = new Set<WorkerRecord>();
  readonly entries = new EntryLog();
  readonly counts: Record<Place, number> = {
    ...{ scheduled: 0, retrying: 0, queued: 0, running: 0, cancelling: 0, ending: 0, gone: 0 },
  };

  /** Runs that this engine cancelled, or asked their workers to cancel. */
  readonly cancelled: Record<CancelCause, number> = { caller: 0, limit: 0, "schedule timeout": 0 };

  readonly index: QueueIndex;
  #isReady = false;

  constructor(name: string, index: QueueIndex) {
    this.name = name;
    this.index = index;
  }
  /** Runs that got slots which one of this task, that takes several, waited for. */
  overtaken = 0;
  /** Some runs ask for workers of their own. */
  hasPlacements = false;
  /** Slots that a run of this task takes. */
  get units(): number {
    return this.policies?.declared.slots ?? 1;
  }
  get workers(): ReadonlySet<WorkerRecord> {
    return this.#workers;
  }
  addWorker(worker: WorkerRecord): void {
    this.#workers.add(worker);
    this.noteReady();
  }
  removeWorker(worker: WorkerRecord): void {
    if (this.#workers.delete(worker)) this.noteReady();
  }
  /** After its workers, or the number of its queued runs, changed. */
  noteReady(): void {
    const isReady = this.counts.queued > 0 && this.#workers.size > 0;
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    if (isReady) this.index.ready.add(this);
    else this.index.ready.delete(this);
  }
  get liveCount(): number {
    const { scheduled, retrying, queued, running, cancelling, ending } = this.counts;
    return scheduled + retrying + queued + running + cancelling + ending;
  }
  priorityOf(run: LiveRun): number {
    return run.priority || this.definition?.priority || 1;
  }
}

/** The only way in which a run changes its place, so that the counts stay right. */
export function setPlace(run: LiveRun, place: Place): void {
  const { queue, place: before } = run;
  const { counts, index } = queue;
  if (before !== "gone") counts[before]--;
  if (place !== "gone") counts[place]++;
  run.place = place;
  if (before === "queued" || place === "queued") queue.noteReady();
  if (before === "ending") index.ending--;
  if (place === "ending") index.ending++;
}
