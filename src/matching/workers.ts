// A worker as a leader knows it, and the ledger of its slots: one booking for each attempt.
import { NumberIndex } from "../collections/number-index.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import type { TaskDeclaration } from "../wire/worker-messages.ts";

/** What counts an attempt under the limits of its task: a lane, as the ledger sees it. */
export interface Counting {
  /** Whether a concurrency limit counts the attempt. */
  readonly isKeyed: boolean;
  /** The attempt's code is known to have started, this long ago. */
  begin(agoMs: number): void;
  /** The slot is free again. */
  giveBack(): void;
  /** The attempt never started. */
  refund(): void;
  /** The attempt is lost, and may still be executing. */
  linger(): void;
}

/** An attempt that takes up slots of a worker. Soft state: the log does not know of it. */
export interface Booking {
  readonly key: string;
  readonly turn: number;
  readonly origin: number;
  /** The run, while this attempt is the current one; undefined if the worker executes something stale, which still takes its slots. */
  run: LiveRun | undefined;
  /** Slots that it takes. */
  units: number;
  /** The attempt's deadline, if it was extended. Units: epoch milliseconds */
  until?: number | undefined;
  readonly batch: number;
  isAcknowledged: boolean;
  /** Units: epoch milliseconds */
  startedAt: number;
  /** How many heartbeats in a row did not name it. */
  missedBeats: number;
  /** The worker has said that it has it. */
  wasNamed: boolean;
  /** When this leader booked it, by its own clock. */
  readonly since: number;
  /** Its code is known to have started, or no limit cares when it does. */
  hasBegun: boolean;
  /** What counts it under the limits of its task; undefined if there are none. */
  lane?: Counting | undefined;
  /** Another turn of the same run on the same worker. */
  next: Booking | undefined;
}

/** The worker that has the run; undefined if none has. */
export const workerOf = (run: LiveRun): WorkerRecord | undefined => run.holder as WorkerRecord | undefined;

const mostUnacknowledged = 1_000;

/** Times are on the scheduler's own clock, except for `registeredAt`, `lastHeartbeatAt` and a booking's `startedAt`. */
export class WorkerRecord {
  readonly id: string;
  /** From its registration: the engine proves its messages with it. */
  secret: string | undefined = undefined;
  name = "";
  /** The process that it runs in; its own id if it does not say. */
  process: string;
  /** It runs in the process of this engine. */
  isOurs = false;
  slots = 0;
  labels: Readonly<Record<string, string | number>> = {};
  runtime = "";
  version = "";
  readonly tasks = new Map<string, TaskDeclaration>();
  /** The names of its tasks with concurrency limits. */
  keyedTasks: readonly string[] = [];
  isRegistered = false;
  isQuiet = false;
  isPaused = false;
  /** Its event loop is blocked, according to its heartbeat thread. */
  isBlocked = false;
  /** How late its event loop has been recently. Units: milliseconds */
  lagMs = 0;
  registeredAt = 0;
  lastHeartbeatAt = 0;
  lastBeat: number;
  /** Since when nobody listens on its subject, according to the server; undefined = connected. */
  unreachableSince: number | undefined = undefined;
  /** Its process has ended: whatever it executed has stopped. */
  isDead = false;
  isSilent = false;
  /** When its attempts were last checked for missed timeouts. Written by presence/overdue.ts */
  overdueLookedAt = Number.NEGATIVE_INFINITY;
  /** It refused, or did not acknowledge, what it was assigned: it gets nothing more until its next heartbeat, or until it frees a slot. */
  isHeld = false;
  /** The number of the last assignment that it got: round robin between equals. */
  lastAssigned = 0;
  /** The task for which it is reserved (claims.ts): every slot that becomes free is for that one. */
  claimedBy: LoggedTask | undefined = undefined;
  readonly ledger = new NumberIndex<Booking>();
  /** Assignments that it has not acknowledged, by number. */
  readonly batches = new Map<number, readonly LiveRun[]>();
  /** How many runs are in them. */
  unacknowledged = 0;
  busy = 0;
  /** How many runs it takes beyond its slots, as it said last. */
  ahead = 0;

  constructor(id: string, lastBeat: number) {
    this.id = id;
    this.process = id;
    this.lastBeat = lastBeat;
  }
  /** Below zero while it has runs ahead of its slots: each of those takes the next slot that becomes free. */
  get free(): number {
    return this.slots - this.busy;
  }
  /** Whether it can take a run of one slot. */
  get hasRoom(): boolean {
    return this.takesAhead && this.takesMore && this.isAssignable;
  }
  /** Whether it can take a run that needs nothing but a slot, which may become free a moment later. */
  get takesAhead(): boolean {
    return this.busy < this.slots + this.ahead;
  }
  /** Whether it may be sent more before it acknowledges: a busy process could not acknowledge ten thousand runs in time, and all would be lost. */
  get takesMore(): boolean {
    return this.unacknowledged < mostUnacknowledged;
  }
  get isAssignable(): boolean {
    return (
      this.isRegistered &&
      !this.isQuiet &&
      !this.isPaused &&
      !this.isBlocked &&
      !this.isSilent &&
      !this.isHeld &&
      this.unreachableSince === undefined
    );
  }
  /** An attempt goes on without its slots: it has given them up, or its code has ended. */
  letGo(booking: Booking): void {
    this.resize(booking, 0);
  }
  resize(booking: Booking, units: number): void {
    this.busy += units - booking.units;
    booking.units = units;
  }
  find(origin: number, turn: number): Booking | undefined {
    let found = this.ledger.get(origin);
    while (found !== undefined && found.turn !== turn) found = found.next;
    return found;
  }
  /** Books an attempt. A booking of the same turn, which the worker had named before the log told of that turn, gives way. */
  occupy(booking: Booking): void {
    if (this.ledger.get(booking.origin) !== undefined) this.release(booking.origin, booking.turn);
    booking.next = this.ledger.get(booking.origin);
    this.ledger.set(booking.origin, booking);
    this.busy += booking.units;
  }
  /** Removes a booking: its slots, and its places in limits, are free again. */
  release(origin: number, turn: number): Booking | undefined {
    const found = this.remove(origin, turn);
    if (found !== undefined) giveBack(found, 0);
    return found;
  }
  /** Like {@link WorkerRecord.release}, but limits still count the attempt. */
  remove(origin: number, turn: number): Booking | undefined {
    const first = this.ledger.get(origin);
    let before: Booking | undefined;
    let found = first;
    while (found !== undefined && found.turn !== turn) {
      before = found;
      found = found.next;
    }
    if (found === undefined) return undefined;
    if (before !== undefined) before.next = found.next;
    else if (found.next === undefined) this.ledger.delete(origin);
    else this.ledger.set(origin, found.next);
    this.busy -= found.units;
    if (found.run !== undefined && workerOf(found.run) === this) found.run.holder = undefined;
    return found;
  }
  /** All bookings, by the age of their runs. */
  bookings(): Booking[] {
    const all: Booking[] = [];
    for (const first of this.ledger.values())
      for (let a: Booking | undefined = first; a !== undefined; a = a.next) all.push(a);
    return all.sort((a, b) => a.origin - b.origin || a.turn - b.turn);
  }
}

/** An attempt no longer counts under limits. If its code was not known to have started, it started at most this long ago. */
export function giveBack(booking: Booking, begunAgoMs: number): void {
  if (!booking.hasBegun) begin(booking, begunAgoMs);
  booking.lane?.giveBack();
}

/** The code of an attempt started this long ago: rate limits count it from then. */
export function begin(booking: Booking, agoMs: number): void {
  booking.hasBegun = true;
  booking.lane?.begin(agoMs);
}
