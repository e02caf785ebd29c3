// A task queue: everything that a leader keeps for one task.
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

/** When the first run of a queue may have waited too long; void if the queue's `expiryAt` is another time by now. */
interface Expiry {
  readonly at: number;
  readonly queue: TaskQueue;
}

/** After an outage a million runs may have waited too long: at most this many outcomes are in flight at once, the others follow. */
const mostEnding = 20_000;

/** Which queues have something to do: a tick checks only these. */
export class QueueIndex {
  /** Queues with queued runs and a worker. Written by the queues themselves. */
  readonly ready = new Set<TaskQueue>();
  /** Queues with runs whose keys are not known yet. Written by the queues and by dispatch. */
  readonly arriving = new Set<TaskQueue>();
  /** Which time counts as waiting. */
  readonly counted = new CountedTime();
  readonly expiries = new Heap<Expiry>((a, b) => a.at < b.at);
  /** How many runs have an outcome on its way to the log. Written by `setPlace`. */
  ending = 0;
  get isFull(): boolean {
    return this.ending >= mostEnding;
  }
}

export class TaskQueue {
  readonly log: LoggedTask;
  /** The newest registration; undefined until a worker has registered the task. */
  definition: TaskDeclaration | undefined = undefined;
  isPaused = false;
  /** Time before this does not count as waiting, because the task was paused. Units: epoch milliseconds */
  resumedAt = 0;
  /** The queued runs, unless the task has policies. */
  readonly ready = new ReadyQueue();
  /** The policies of the newest registration: where there are any, queued runs are in their lanes. */
  policies: Policies | undefined = undefined;
  /** Runs on their first turn, in the order in which they were queued, for the schedule timeout. May contain some that have moved on. */
  readonly firstTurns = new Deque<LiveRun>();
  /** When the queue is next checked for runs that have waited too long; infinity = never. Written by `expectExpiry`. Units: epoch milliseconds */
  expiryAt = Number.POSITIVE_INFINITY;
  readonly #workers = new Set<WorkerRecord>();
  readonly counts: Record<Place, number> = {
    ...{ scheduled: 0, retrying: 0, queued: 0, running: 0, waiting: 0, cancelling: 0, ending: 0, gone: 0 },
  };
  readonly index: QueueIndex;
  #isReady = false;
  /** How many other runs have taken slots that a run of this task is waiting for (claims.ts). */
  overtaken = 0;
  /** Some run of the task names its own affinity. */
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
  /** Called when its workers, or the number of its queued runs, have changed. */
  noteReady(): void {
    const isReady = this.counts.queued > 0 && this.#workers.size > 0;
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    if (isReady) this.index.ready.add(this);
    else this.index.ready.delete(this);
  }
  /** A run has arrived whose keys are not known yet. */
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

/** The queue of a run's task. Exists once the run was placed. */
export const queueOf = (run: LiveRun): TaskQueue => run.log.attached as TaskQueue;

/** The run's own priority, or that of its task as far as this leader knows it. */
export const priorityOf = (run: LiveRun): number =>
  (run.log.attached as TaskQueue | undefined)?.priorityOf(run) ?? (run.priority || 1);

/** The only way to change the place of a run, so that the counts stay right. */
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
