import { Deque } from "../collections/deque.ts";
import { Heap } from "../collections/heap.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import type { TaskDeclaration } from "../wire/worker-messages.ts";
import { type Place, placeOf, writePlace } from "./attached.ts";
import type { Policies } from "./limits/policies.ts";
import { ReadyQueue } from "./ready-queue.ts";
import { CountedTime } from "./waiting/counted-time.ts";
import type { WorkerRecord } from "./workers.ts";

/** When the first run of a queue may have waited too long; void if the queue expects another time by now. */
interface Expiry {
  readonly at: number;
  readonly queue: TaskQueue;
}

/** After an outage a million may have waited too long: at most this many outcomes are in flight at once, the others follow. */
const mostEnding = 20_000;

/** Which queues have something to do: a tick checks only these. */
export class QueueIndex {
  /** With queued runs and a worker. Written by the queues themselves. */
  readonly ready = new Set<TaskQueue>();
  /** With queued runs whose keys are not known yet. Written by the queues and dispatch. */
  readonly arriving = new Set<TaskQueue>();
  /** What their runs have waited. */
  readonly counted = new CountedTime();
  readonly expiries = new Heap<Expiry>((a, b) => a.at < b.at);
  /** Runs whose outcome is on its way to the log. Written by `setPlace`. */
  ending = 0;
  get isFull(): boolean {
    return this.ending >= mostEnding;
  }
}

/** Everything a leader keeps for one task: its queue and its workers. */
export class TaskQueue {
  readonly log: LoggedTask;
  /** The newest registration; undefined until a worker has registered the task. */
  definition: TaskDeclaration | undefined = undefined;
  isPaused = false;
  /** Waiting counts from here at the earliest. Units: epoch milliseconds */
  resumedAt = 0;
  /** Waiting runs, if no policy decides about them. */
  readonly ready = new ReadyQueue();
  /** Limits that the newest registration declares; the runs wait there then. */
  policies: Policies | undefined = undefined;
  /** Runs on their first turn by the time they began to wait, for the schedule timeout. May contain dead ones. */
  readonly waiting = new Deque<LiveRun>();
  /** When the queue is checked for runs that waited too long; infinite = not at all. Written by `expectExpiry`. Units: epoch milliseconds */
  expiryAt = Number.POSITIVE_INFINITY;
  readonly #workers = new Set<WorkerRecord>();
  readonly counts: Record<Place, number> = {
    ...{ scheduled: 0, retrying: 0, queued: 0, running: 0, waiting: 0, cancelling: 0, ending: 0, gone: 0 },
  };
  readonly index: QueueIndex;
  #isReady = false;
  /** Runs that took slots that one of this task's larger runs waited for. */
  overtaken = 0;
  /** Some runs ask for workers of their own. */
  hasPlacements = false;

  constructor(log: LoggedTask, index: QueueIndex) {
    this.log = log;
    this.index = index;
    log.attached = this;
  }
  get name(): string {
    return this.log.name;
  }
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
  /** Some run waits for its keys. */
  noteArrival(): void {
    this.index.arriving.add(this);
  }
  get liveCount(): number {
    const { scheduled, retrying, queued, running, waiting, cancelling, ending } = this.counts;
    return scheduled + retrying + queued + running + waiting + cancelling + ending;
  }
  priorityOf(run: LiveRun): number {
    return run.priority || this.definition?.priority || 1;
  }
}

/** Where a run that is placed waits. */
export const queueOf = (run: LiveRun): TaskQueue => run.log.attached as TaskQueue;

/** Its own priority, or its task's as far as the leader knows it. */
export const priorityOf = (run: LiveRun): number =>
  (run.log.attached as TaskQueue | undefined)?.priorityOf(run) ?? (run.priority || 1);

/** The only way in which a run changes its place, so that the counts stay right. */
export function setPlace(run: LiveRun, place: Place): void {
  const queue = queueOf(run);
  const before = placeOf(run);
  const { counts, index } = queue;
  if (before !== "gone") counts[before]--;
  if (place !== "gone") counts[place]++;
  writePlace(run, place);
  if (before === "queued" || place === "queued") queue.noteReady();
  if (before === "ending") index.ending--;
  if (place === "ending") index.ending++;
}
