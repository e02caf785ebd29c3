// matching/: who starts next. Queues, lanes, limits, the ledger of slots, placement and dispatch, for as long as this engine leads.
// Its decisions are commands of the current step.
import { Heap } from "../collections/heap.ts";
import { NumberHeap } from "../collections/number-heap.ts";
import { noPauses, type Pauses } from "../domain/pauses.ts";
import type { CancelCause } from "../domain/run.ts";
import type { Fold } from "../fold/fold.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { ArrivalPace } from "./arrival-pace.ts";
import type { StoredRate } from "./commands.ts";
import type { Siblings } from "./durable/group.ts";
import type { KeyLimit } from "./limits/concurrency.ts";
import type { Limit } from "./limits/limit.ts";
import type { LaneHost } from "./limits/policies.ts";
import type { RateLimit } from "./limits/rate.ts";
import { pauseQueue, pauseWorker } from "./pauses.ts";
import type { Step } from "./step.ts";
import type { Isolation, Suspect } from "./suspects/suspect.ts";
import type { Caution } from "./suspects/tried.ts";
import { QueueIndex, TaskQueue } from "./task-queue.ts";
import type { Lingering, Unheard } from "./unseen/lost-attempt.ts";
import type { Booking, WorkerRecord } from "./workers.ts";

/** When a limit may have room again. `at`: on the scheduler's own clock */
interface LimitWake {
  readonly at: number;
  readonly limit: Limit;
}

/** A moment at which a run may have to move; void if the run has moved on in the meantime. */
export interface RunDeadline {
  readonly at: number;
  readonly run: LiveRun;
  readonly turn: number;
}
const earlier = (a: RunDeadline, b: RunDeadline): boolean =>
  a.at < b.at || (a.at === b.at && a.run.origin < b.run.origin);

/** By task: how many runs this engine has cancelled, or asked their workers to cancel, and why. */
export type Cancelled = Map<string, Record<CancelCause, number>>;

export interface MatchingParts {
  readonly fold: Fold;
  readonly step: Step;
  readonly epoch: number;
  readonly lostLimit: number;
  /** The process in which this engine runs; empty = not known. */
  readonly process: string;
  readonly pauses: Pauses;
  readonly cancelled: Cancelled;
  /** Tasks that were set aside after a fault. */
  readonly faulty?: ReadonlySet<string>;
  /** Makes what limits ask of a leader. */
  readonly lanesFor: (state: Matching) => LaneHost;
}

/** What a leader knows about queues, workers and limits. Created when it begins to lead, discarded when it stops. */
export class Matching {
  readonly fold: Fold;
  readonly step: Step;
  readonly epoch: number;
  readonly lostLimit: number;
  readonly process: string;
  /** When this engine began to lead, on the scheduler's own clock. */
  readonly ledSince: number;
  pauses: Pauses = noPauses;
  readonly cancelled: Cancelled;
  /** Tasks that were set aside after a fault: their runs are not placed. */
  readonly faulty: ReadonlySet<string>;
  readonly lanes: LaneHost;

  readonly queues = new Map<string, TaskQueue>();
  readonly queueIndex = new QueueIndex();
  /** Scheduled and retrying runs by due time. */
  readonly due = new Heap<RunDeadline>(earlier);
  /** Runs that are cancelled as soon as no worker can be executing them; may contain some that have moved on. */
  readonly cancelling = new Set<LiveRun>();
  /** Parked runs, by the first of their deadlines. */
  readonly sleeping = new NumberHeap<LiveRun>();
  /** Runs waiting for a worker with other code; and when to look again, on the scheduler's own clock. */
  readonly misfits = new Set<LiveRun>();
  nextMisfitsAt = 0;
  /** Durable runs, by when they must end or be asked to. */
  readonly flowLimits = new NumberHeap<LiveRun>();
  /** By group of children: those that may start, where not all may at once. */
  readonly siblings = new Map<string, Siblings>();
  /** When the server was asked where the log ends; minus infinity = no question is open. */
  askedEndAt = Number.NEGATIVE_INFINITY;
  /** Schedule timeouts of runs that are not among the `firstTurns` of their queue. */
  readonly timeouts = new Heap<RunDeadline>(earlier);

  readonly workers = new Map<string, WorkerRecord>();
  /** Workers reserved for runs of several slots, each with the queue of those. */
  readonly claimed = new Map<WorkerRecord, TaskQueue>();
  /** Runs that may be what kills their process, and wait for one to themselves. */
  readonly suspects: Suspect[] = [];
  /** By process: the suspect that has it to itself, or waits for that. */
  readonly isolated = new Map<string, Isolation>();
  /** Set for a while after a leader has died. */
  caution: Caution | undefined = undefined;
  /** The attempts that are noted in the bucket, and the worker of each. */
  readonly tried = new Map<Booking, WorkerRecord>();
  /** By worker: lost attempts that still count under concurrency limits. */
  readonly lingering = new Map<string, Lingering[]>();
  /** By id, after a takeover: workers that have not registered with this leader yet. */
  readonly unheard = new Map<string, Unheard>();
  /** Limits that cancel nothing before all workers have registered after a takeover; each with a run that comes under it. */
  readonly unweighed = new Map<KeyLimit, LiveRun>();
  readonly rates = new Map<string, RateLimit>();
  /** Rates as an earlier leader stored them; each is taken over when a task names it. */
  storedRates = new Map<string, StoredRate>();
  /** By rate: units that must be stored as reserved before they may be used. */
  readonly reservations = new Map<string, number>();
  readonly limitWakes = new Heap<LimitWake>((a, b) => a.at < b.at);
  /** When rates were read, and last tidied, on the scheduler's own clock. */
  ratesReadAt = 0;
  ratesTidiedAt = 0;
  assignedCount = 0;
  readonly pace = new ArrivalPace();
  /** When the last tick was. Units: epoch milliseconds */
  tickedAt = 0;

  constructor({ fold, step, epoch, lostLimit, process, pauses, cancelled, faulty, lanesFor }: MatchingParts) {
    this.fold = fold;
    this.step = step;
    this.epoch = epoch;
    this.lostLimit = lostLimit;
    this.process = process;
    this.ledSince = step.uptime;
    this.pauses = pauses;
    this.cancelled = cancelled;
    this.faulty = faulty ?? new Set();
    this.lanes = lanesFor(this);
  }
  queueOf(task: string): TaskQueue {
    return this.queues.get(task) ?? this.#addQueue(task);
  }
  #addQueue(task: string): TaskQueue {
    const queue = new TaskQueue(this.fold.logOf(task), this.queueIndex);
    pauseQueue(this.pauses, queue);
    this.queues.set(task, queue);
    return queue;
  }
  /** From now on exactly this is paused. */
  pause(pauses: Pauses): void {
    this.pauses = pauses;
    for (const queue of this.queues.values()) pauseQueue(pauses, queue);
    for (const worker of this.workers.values()) pauseWorker(pauses, worker);
  }
  /** Counts a run that was cancelled. */
  noteCancelled(task: string, cause: CancelCause): void {
    let counts = this.cancelled.get(task);
    if (counts === undefined) {
      counts = { caller: 0, limit: 0, "schedule timeout": 0, deadline: 0, parent: 0 };
      this.cancelled.set(task, counts);
    }
    counts[cause]++;
  }
}
