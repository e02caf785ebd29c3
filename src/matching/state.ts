import { Heap } from "../collections/heap.ts";
import { KeyIndex } from "../collections/key-index.ts";
import type { FailureHandler } from "../domain/failure.ts";
import { noPauses, type Pauses } from "../domain/pauses.ts";
import type { FinishedRun, RememberedOutcome } from "../fold/finished-run.ts";
import { Inputs } from "../fold/inputs.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { Retention } from "../housekeeping/retention-state.ts";
import type { Caution } from "./caution.ts";
import type { Command, EngineOutcome, StoredRate } from "./commands.ts";
import type { KeyLimit } from "./limits/concurrency.ts";
import type { Limit } from "./limits/limit.ts";
import type { RateLimit } from "./limits/rate.ts";
import type { Lingering } from "./lingering.ts";
import { pauseQueue } from "./pauses.ts";
import { QueueIndex } from "./queue-index.ts";
import type { Isolation, Suspect } from "./suspects.ts";
import { TaskQueue } from "./task-queue.ts";
import type { Assignment, WorkerRecord } from "./workers.ts";

/** Units: milliseconds, unless said otherwise */
export interface SchedulerOptions {
  /** Finished runs to keep. @default 100_000 */
  readonly keepCount?: number | undefined;
  /** How long to keep finished runs. @default 24 hours */
  readonly keepMs?: number | undefined;
  /** Garbage entries of a task before a purge is worth a request. @default 1_000 */
  readonly garbageBatch?: number | undefined;
  /** Entries that are forgotten behind one that must stay, until it is moved: fewer are purged one by one. @default 100 */
  readonly singlePurges?: number | undefined;
  /** A new leader purges nothing for this long, so that writes of the one before it have landed or died. @default 10_000 */
  readonly housekeepingDelayMs?: number | undefined;
  /** Attempts that may be lost with their worker before the run fails. @default 10 */
  readonly lostLimit?: number | undefined;
  /** Memory for the inputs of live runs; those beyond it are read back from the log. Units: bytes. @default 64 MiB */
  readonly inputBudgetBytes?: number | undefined;
}

/** A moment at which a run may have to move; void when the run has moved on meanwhile. */
export interface Deadline {
  readonly at: number;
  readonly run: LiveRun;
  readonly turn: number;
}
const earlier = (a: Deadline, b: Deadline): boolean => a.at < b.at || (a.at === b.at && a.run.origin < b.run.origin);

/**
 * All that an engine knows. Changed by `step` only.
 *
 * `position`, `live`, `finished` and `unexplained` are a function of the log; all engines agree on them. The rest belongs to the leader.
 */
export class SchedulerState {
  readonly options: Required<{ [K in keyof SchedulerOptions]: number }>;
  /** Sequence of the last entry folded. */
  position = 0;
  /** Where outcomes began when that was asked last, and the first sequence behind it that was skipped since. */
  outcomesFrom = 0;
  skippedFrom = Number.POSITIVE_INFINITY;
  readonly live = new KeyIndex<LiveRun>();
  /** In the order of their outcomes, but for those in `unordered`. */
  readonly finished = new KeyIndex<FinishedRun>(true);
  readonly unordered = new Set<FinishedRun>();
  /** Outcomes of keys that are neither live nor finished (rule 3). */
  readonly unexplained = new Map<string, RememberedOutcome[]>();
  /** Keys with outcomes beside an accepted final one: what a purge of outcomes must look at. */
  readonly entangled = new Set<string>();
  /** Entries of forgotten keys that came too late to be removed before the retention mark. */
  readonly leftovers = new Map<string, number>();
  lastMark: { readonly writer: string; readonly upTo: number } | undefined = undefined;

  readonly inputs: Inputs;
  pauses: Pauses = noPauses;
  readonly queues = new Map<string, TaskQueue>();
  readonly queueIndex = new QueueIndex();
  /** Scheduled and retrying runs by due time. */
  readonly due = new Heap<Deadline>(earlier);
  /** Runs that wait for their end; may hold some that have moved on. */
  readonly cancelling = new Set<LiveRun>();
  /** Schedule timeouts of runs that do not fit the order of their queue's `waiting`. */
  readonly timeouts = new Heap<Deadline>(earlier);

  isLeading = false;
  epoch = 0;
  readonly workers = new Map<string, WorkerRecord>();
  /** Those that are kept for runs which take several slots. */
  readonly claimed = new Set<WorkerRecord>();
  /** Runs that may kill their process, and wait for one of their own. */
  readonly suspects: Suspect[] = [];
  /** By process: the suspect that has it, or waits for it, alone. */
  readonly isolated = new Map<string, Isolation>();
  /** The process of this engine; empty = not known. */
  process = "";
  /** After a leader has died. */
  caution: Caution | undefined = undefined;
  /** What is noted, and where it executes. */
  readonly tried = new Map<Assignment, WorkerRecord>();
  /** By worker: what is lost and still counts. */
  readonly lingering = new Map<string, Lingering[]>();
  /** When this engine began to lead. Units: epoch milliseconds */
  ledAt = 0;
  readonly waiters = new Map<string, Set<string>>();
  /** Limits whose strategy waits until all workers have answered after a takeover, each with a run that takes of it. */
  readonly unweighed = new Map<KeyLimit, LiveRun>();
  /** After a takeover: who has not answered yet and may execute what is queued here, and until when nothing is dispatched for it. */
  hold: { readonly awaited: Set<string>; readonly until: number } | undefined = undefined;
  readonly retention = new Retention();
  /** By the task whose failures they handle. */
  failureHandlers = new Map<string, FailureHandler>();
  readonly rates = new Map<string, RateLimit>();
  /** As they were when this engine began to lead; taken up when a task names them. */
  storedRates = new Map<string, StoredRate>();
  /** Units to be stored before they are used, by limit. */
  readonly reservations = new Map<string, number>();
  readonly limitWakes = new Heap<{ readonly at: number; readonly limit: Limit }>((a, b) => a.at < b.at);
  /** On the own clock. */
  ratesReadAt = 0;
  ratesTidiedAt = 0;
  lastBatch = 0;
  assignedCount = 0;

  /** Wall clock of the current step, epoch milliseconds. */
  now = 0;
  /** Own clock in milliseconds: never goes back and does not jump while the engine sleeps, so that no worker is thought dead for it. */
  uptime = 0;
  /** When the last tick was. Units: epoch milliseconds */
  tickedAt = 0;
  wakeAt = 0;
  commands: Command[] = [];
  outgoing: EngineOutcome[] = [];

  #lastInbox = "";

  constructor(options: SchedulerOptions) {
    this.options = {
      keepCount: options.keepCount ?? 100_000,
      keepMs: options.keepMs ?? 86_400_000,
      garbageBatch: options.garbageBatch ?? 1_000,
      singlePurges: options.singlePurges ?? 100,
      housekeepingDelayMs: options.housekeepingDelayMs ?? 10_000,
      lostLimit: options.lostLimit ?? 10,
      inputBudgetBytes: options.inputBudgetBytes ?? 64 * 1024 * 1024,
    };
    this.inputs = new Inputs(this.options.inputBudgetBytes);
  }
  /** The same text in one string, however many runs name it. */
  inboxOnce(inbox: string): string {
    if (inbox !== this.#lastInbox) this.#lastInbox = inbox;
    return this.#lastInbox;
  }
  queueOf(task: string): TaskQueue {
    let queue = this.queues.get(task);
    if (queue === undefined) {
      queue = new TaskQueue(task, this.queueIndex);
      pauseQueue(this, queue);
      this.queues.set(task, queue);
    }
    return queue;
  }
}

/** A scheduler that has folded nothing yet and stands by. */
export const createScheduler = (options: SchedulerOptions = {}): SchedulerState => new SchedulerState(options);
