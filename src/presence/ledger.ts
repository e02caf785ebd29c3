// Comparing the ledger: what a worker says that it holds, and what this leader has booked for it.
import { taskOf } from "../domain/run.ts";
import type { Matching } from "../matching/matching.ts";
import { stopAttempt } from "../matching/release.ts";
import { noteFound, storeTried } from "../matching/suspects/caution.ts";
import { isolateFound } from "../matching/suspects/suspects.ts";
import { queueOf } from "../matching/task-queue.ts";
import { settle } from "../matching/unseen/lingering.ts";
import { type Booking, begin, type WorkerRecord, workerOf } from "../matching/workers.ts";
import type { HeldRun } from "../wire/worker-messages.ts";
import { bookFound, isFree } from "./found.ts";
import { loseAttempt } from "./lose.ts";

const missedBeatsLimit = 3;

/** Books attempts that the worker has, stops those that it should not have, and gives up those that it no longer has. */
export function compareLedger(state: Matching, worker: WorkerRecord, executing: readonly HeldRun[]): void {
  const named = new Set<Booking>();
  let isNoteDue = false;
  for (const held of executing) {
    state.step.about = state.fold.live.get(held.key);
    const booking = bookingOf(state, worker, held);
    if (booking === undefined) continue;
    const isNew = !booking.wasNamed;
    confirm(state, worker, booking, held);
    if (isNew && booking.batch === 0) isNoteDue = noteFound(state, booking, worker) || isNoteDue;
    if (booking.run !== undefined && booking.run.lost > 0) isolateFound(state, worker, booking.run);
    named.add(booking);
    stopAttempt(state, worker, booking);
  }
  if (isNoteDue) state.step.commands.push(storeTried(state));
  if (state.lingering.size > 0) settle(state, worker);
  loseUnnamed(state, worker, named);
}

/** The booking of an attempt that a worker names; undefined if it has ended, so that the message is older than its outcome. */
function bookingOf(state: Matching, worker: WorkerRecord, held: HeldRun): Booking | undefined {
  const booking = worker.find(held.origin, held.turn);
  if (booking === undefined ? wasReported(state, worker, held) : !isKnownNow(state, booking)) return booking;
  adopt(state, worker, held);
  return worker.find(held.origin, held.turn);
}

/** The worker has named the attempt, so it has it. */
function confirm(state: Matching, worker: WorkerRecord, booking: Booking, held: HeldRun): void {
  if (booking.run === undefined && booking.lane === undefined) countStale(state, booking);
  booking.isAcknowledged = true;
  booking.missedBeats = 0;
  booking.wasNamed = true;
  if (held.startedAt > 0) {
    booking.startedAt = held.startedAt;
    if (!booking.hasBegun) begin(booking, 0);
  }
  booking.until = held.until;
  if (held.slotless === true && booking.units > 0) worker.letGo(booking);
}

function loseUnnamed(state: Matching, worker: WorkerRecord, named: ReadonlySet<Booking>): void {
  for (const booking of worker.bookings()) {
    if (named.has(booking) || !booking.isAcknowledged) continue;
    // A stale attempt that the worker has named before is free as soon as it is not named any more.
    if ((booking.run === undefined && booking.wasNamed) || ++booking.missedBeats >= missedBeatsLimit) {
      loseAttempt(state, worker, booking, `worker ${worker.id} no longer has it`);
    }
  }
}

/** An attempt that was started under an earlier leader, and whose run has another turn by now, counts under concurrency limits all the same. */
function countStale(state: Matching, booking: Booking): void {
  const live = state.fold.live.get(booking.key);
  if (live?.origin === booking.origin) booking.lane = queueOf(live).policies?.linger(live);
}

/** Whether the worker had named the attempt before the log brought its run here, and the run is waiting for a worker by now. */
function isKnownNow({ fold }: Matching, { run, key, turn, origin }: Booking): boolean {
  if (run !== undefined) return false;
  const live = fold.live.get(key);
  return live !== undefined && live.origin === origin && live.turn === turn && isFree(live);
}

/** Whether the outcome of this attempt is folded already: then the message is older than that. */
function wasReported(state: Matching, worker: WorkerRecord, held: HeldRun): boolean {
  const finished = state.fold.finished.get(held.key);
  if (finished !== undefined) return finished.writer === worker.id && finished.origin === held.origin;
  const live = state.fold.live.get(held.key);
  if (live === undefined || live.turn <= held.turn) return false;
  if (live.flow?.turn === held.turn && live.flow.worker === worker.id) return true;
  return live.history.some((a) => a.turn === held.turn && a.worker === worker.id && a.outcome !== "lost");
}

/** Books an attempt that this leader did not assign: as the current one if it is, otherwise as a slot that is still taken. */
function adopt(state: Matching, worker: WorkerRecord, held: HeldRun): void {
  const { key, turn, origin, startedAt } = held;
  const live = state.fold.live.get(key);
  const isSame = live !== undefined && live.turn === turn && live.origin === origin;
  // An earlier leader's note is a guess: the worker that says it executes the run is right.
  const holder = isSame ? workerOf(live) : undefined;
  const isGuessed = isSame && holder !== undefined && holder !== worker && !holder.isRegistered;
  if (isGuessed) holder.release(origin, turn);
  const run = isSame && (isGuessed || isFree(live)) ? live : undefined;
  const units = held.slotless === true ? 0 : (state.queues.get(taskOf(key))?.units ?? 1);
  bookFound(state, worker, { key, turn, origin, run, units, startedAt });
  if (run !== undefined) queueOf(run).policies?.adopt(run);
}
