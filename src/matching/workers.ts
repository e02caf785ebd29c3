import { NumberIndex } from "../collections/number-index.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import type { TaskDeclaration } from "../wire/worker-messages.ts";

/** What counts an attempt for the limits of its task. */
export interface Counting {
  /** It counts executing runs. */
  readonly isKeyed: boolean;
  /** The code is known to have started, this long ago. */
  begin(agoMs: number): void;
  /** The slot is free again. */
  giveBack(): void;
  /** It never started. */
  refund(): void;
  /** It is lost, and may still be executing. */
  linger(): void;
}

/** An attempt in the slots of a worker. Soft state: the log does not know it. */
export interface Booking {
  readonly key: string;
  readonly turn: number;
  readonly origin: number;
  /** The run while this attempt counts; undefined if the worker executes something stale that still takes a slot. */
  run: LiveRun | undefined;
  /** Slots that it takes. */
  units: number;
  /** Its deadline, if extended. Units: epoch milliseconds */
  until?: number | undefined;
  readonly batch: number;
  isAcknowledged: boolean;
  /** Units: epoch milliseconds */
  startedAt: number;
  /** Heartbeats in a row that did not name it. */
  missedBeats: number;
  /** Its worker said that it has it. */
  wasNamed: boolean;
  /** When this leader booked it, by its own clock. */
  readonly since: number;
  /** Its code is known to have begun, or nothing counts when it does. */
  hasBegun: boolean;
  /** What counts it, if its task has limits. */
  lane?: Counting | undefined;
  /** Another turn of the same run on the same worker. */
  next: Booking | undefined;
}

/** The worker with the run; undefined if none. */
export const workerOf = (run: LiveRun): WorkerRecord | undefined => run.holder as WorkerRecord | undefined;

const mostUnacknowledged = 1_000;

/** A registered worker and the ledger of its slots. Times but `registeredAt` and `startedAt` are on the scheduler's own clock. */
export class WorkerRecord {
  readonly id: string;
  /** From its registration; used to prove messages of the engine. */
  secret: string | undefined = undefined;
  name = "";
  /** Its process; its id if it does not say. */
  process: string;
  /** That is the engine's process. */
  isOurs = false;
  slots = 0;
  labels: Readonly<Record<string, string | number>> = {};
  runtime = "";
  version = "";
  readonly tasks = new Map<string, TaskDeclaration>();
  /** Those with concurrency limits. */
  keyedTasks: readonly string[] = [];
  isRegistered = false;
  isQuiet = false;
  isPaused = false;
  /** Its event loop is blocked, according to its heartbeat thread. */
  isBlocked = false;
  /** How late its event loop was lately. Units: milliseconds */
  lagMs = 0;
  registeredAt = 0;
  lastHeartbeatAt = 0;
  lastBeat: number;
  /** Since when nobody listens, according to the server; undefined = connected. */
  unreachableSince: number | undefined = undefined;
  /** Its process has ended: whatever it executed has stopped. */
  isDead = false;
  isSilent = false;
  /** When its attempts were last checked for missed timeouts. Written by overdue.ts */
  overdueLookedAt = Number.NEGATIVE_INFINITY;
  /** Nothing more until its next heartbeat, or until it frees a slot: it refused, or did not acknowledge, what it got. */
  isHeld = false;
  /** When it was last given a run, as a count of assignments: round robin between equals. */
  lastAssigned = 0;
  /** A task with runs of several slots, which gets all slots it frees now. */
  claimedBy: LoggedTask | undefined = undefined;
  readonly ledger = new NumberIndex<Booking>();
  readonly batches = new Map<number, readonly LiveRun[]>();
  /** Runs in them. */
  unacknowledged = 0;
  busy = 0;

  constructor(id: string, lastBeat: number) {
    this.id = id;
    this.process = id;
    this.lastBeat = lastBeat;
  }
  get free(): number {
    return this.slots - this.busy;
  }
  /** Whether it can take a run of one slot. */
  get hasRoom(): boolean {
    return this.free > 0 && this.takesMore && this.isAssignable;
  }
  /** A busy process that got ten thousand runs at once could not acknowledge them in time, and all would be lost. */
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
  /** An attempt continues without its slots. */
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
  /** One of the same turn, which the worker had named before the log told of that turn, gives way. */
  occupy(booking: Booking): void {
    if (this.ledger.get(booking.origin) !== undefined) this.release(booking.origin, booking.turn);
    booking.next = this.ledger.get(booking.origin);
    this.ledger.set(booking.origin, booking);
    this.busy += booking.units;
  }
  /** Its slots and what its limits counted are free again. */
  release(origin: number, turn: number): Booking | undefined {
    const found = this.remove(origin, turn);
    if (found !== undefined) giveBack(found, 0);
    return found;
  }
  /** Like {@link WorkerRecord.release}, but its limits still count it. */
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
  /** All that it has, the oldest run first. */
  bookings(): Booking[] {
    const all: Booking[] = [];
    for (const first of this.ledger.values())
      for (let a: Booking | undefined = first; a !== undefined; a = a.next) all.push(a);
    return all.sort((a, b) => a.origin - b.origin || a.turn - b.turn);
  }
}

/** It no longer counts for its limits; if its code was not known to have started, it started at most this long ago. */
export function giveBack(booking: Booking, begunAgoMs: number): void {
  if (!booking.hasBegun) begin(booking, begunAgoMs);
  booking.lane?.giveBack();
}

/** Its code started this long ago: limits that count from the start count from then. */
export function begin(booking: Booking, agoMs: number): void {
  booking.hasBegun = true;
  booking.lane?.begin(agoMs);
}
