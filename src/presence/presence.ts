// presence/: which workers are there.

import { goneAfterMs } from "../domain/cut-off.ts";
import { taskOf } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { placeOf } from "../matching/attached.ts";
import { admitFound } from "../matching/durable/siblings.ts";
import type { Matching } from "../matching/matching.ts";
import { stopAttempt } from "../matching/release.ts";
import { noteFound, proveCaution, storeTried } from "../matching/suspects/caution.ts";
import { isolateFound } from "../matching/suspects/suspects.ts";
import { queueOf, setPlace } from "../matching/task-queue.ts";
import { endAll, settle } from "../matching/unseen/lingering.ts";
import { describeUnheard } from "../matching/unseen/unheard.ts";
import { type Booking, begin, type WorkerRecord, workerOf } from "../matching/workers.ts";
import type { Heartbeat, HeldRun } from "../wire/worker-messages.ts";
import { dropWorker, loseAttempt } from "./lose.ts";
import { endOverdue } from "./overdue.ts";

const reconnectGraceMs = 2_000;
const silentAfterMs = 12_000;
const missedBeatsLimit = 3;

export function heartbeat(state: Matching, message: Heartbeat): void {
  const worker = state.workers.get(message.id);
  if (worker === undefined || !worker.isRegistered) return;
  showLife(state, worker);
  worker.isBlocked = message.blocked === true;
  worker.lagMs = message.lagMs;
  if (worker.isBlocked) return; // what it executes cannot have changed
  worker.isQuiet = message.quiet;
  worker.isHeld = false;
  compareLedger(state, worker, message.executing);
}

export function showLife(state: Matching, worker: WorkerRecord): void {
  worker.lastBeat = state.step.uptime;
  worker.lastHeartbeatAt = state.step.now;
  worker.unreachableSince = undefined;
  worker.isSilent = false;
}

/** Its connection is there again; whether its event loop responds is another question. */
export function pong(state: Matching, id: string): void {
  const worker = state.workers.get(id);
  if (worker !== undefined) worker.unreachableSince = undefined;
}

/** `isDead`: its process has ended. */
export function unreachable(state: Matching, id: string, isDead = false): void {
  const worker = state.workers.get(id);
  if (isDead) {
    if (worker !== undefined) worker.isDead = true;
    if (worker?.isRegistered === false) proveCaution(state); // it does not come back
    endAll(state, id);
  }
  // The server closes the connection of a loop that is blocked for minutes; its thread keeps sending heartbeats.
  if (worker !== undefined && !worker.isBlocked) worker.unreachableSince ??= state.step.uptime;
}

export function leave(state: Matching, id: string): void {
  const worker = state.workers.get(id);
  if (worker !== undefined) dropWorker(state, worker, `worker ${id} left`, false);
  endAll(state, id);
}

/** Drops workers that lost their connection or were silent for too long. */
export function watchPresence(state: Matching): void {
  for (const worker of state.workers.values()) {
    const silentMs = state.step.uptime - worker.lastBeat;
    worker.isSilent = silentMs >= silentAfterMs;
    if (silentMs >= goneAfterMs) drop(state, worker, `sent no heartbeat for ${goneAfterMs / 1000} s`);
    else if (worker.unreachableSince !== undefined && state.step.uptime - worker.unreachableSince >= reconnectGraceMs)
      drop(state, worker, "lost its connection");
    else endOverdue(state, worker);
  }
}

function drop(state: Matching, worker: WorkerRecord, what: string): void {
  const fields = { worker: worker.id, busy: worker.busy };
  const message = worker.isRegistered
    ? `worker '${worker.name}' ${what}: its runs are queued again`
    : `a worker known to the previous leader ${what}: its runs are queued again${describeUnheard(state, worker.id)}`;
  state.step.commands.push({ type: "log", level: worker.isRegistered ? "warn" : "info", message, fields });
  dropWorker(state, worker, `worker ${worker.id} ${what}`, true);
}

/** Reconciles the ledger with what the worker says it holds: attempts it has, should stop, or does not have. */
export function compareLedger(state: Matching, worker: WorkerRecord, executing: readonly HeldRun[]): void {
  const named = new Set<object>();
  let isNoteDue = false;
  for (const held of executing) {
    state.step.about = state.fold.live.get(held.key);
    let booking = worker.find(held.origin, held.turn);
    if (booking === undefined ? !wasReported(state, worker, held) : isKnownNow(state, booking)) {
      adopt(state, worker, held);
      booking = worker.find(held.origin, held.turn);
    }
    if (booking === undefined) continue;
    if (booking.run === undefined && booking.lane === undefined) countStale(state, booking);
    booking.isAcknowledged = true;
    booking.missedBeats = 0;
    if (held.startedAt > 0) {
      booking.startedAt = held.startedAt;
      if (!booking.hasBegun) begin(booking, 0);
    }
    booking.until = held.until;
    if (held.slotless === true && booking.units > 0) worker.letGo(booking);
    if (!booking.wasNamed && booking.batch === 0) isNoteDue = noteFound(state, booking, worker) || isNoteDue;
    booking.wasNamed = true;
    if (booking.run !== undefined && booking.run.lost > 0) isolateFound(state, worker, booking.run);
    named.add(booking);
    stopAttempt(state, worker, booking);
  }
  if (isNoteDue) state.step.commands.push(storeTried(state));
  if (state.lingering.size > 0) settle(state, worker);
  for (const booking of worker.bookings()) {
    if (named.has(booking) || !booking.isAcknowledged) continue;
    // What it named before, and nobody waits for, is free once it no longer names it.
    if ((booking.run === undefined && booking.wasNamed) || ++booking.missedBeats >= missedBeatsLimit) {
      loseAttempt(state, worker, booking, `worker ${worker.id} no longer has it`);
    }
  }
}

/** It was started under an earlier leader, and the run has another turn by now: it counts for its key all the same. */
function countStale(state: Matching, booking: Booking): void {
  const live = state.fold.live.get(booking.key);
  if (live?.origin === booking.origin) booking.lane = queueOf(live).policies?.linger(live);
}

/** It was named before the log had brought its run here, which waits for a worker by now. */
function isKnownNow({ fold }: Matching, { run, key, turn, origin }: Booking): boolean {
  if (run !== undefined) return false;
  const live = fold.live.get(key);
  return live !== undefined && live.origin === origin && live.turn === turn && isFree(live);
}

const isFree = (run: LiveRun): boolean => placeOf(run) !== "running" && placeOf(run) !== "ending";

/** The outcome was folded before this message, which is older, arrived. */
function wasReported(state: Matching, worker: WorkerRecord, held: HeldRun): boolean {
  const finished = state.fold.finished.get(held.key);
  if (finished !== undefined) return finished.writer === worker.id && finished.origin === held.origin;
  const live = state.fold.live.get(held.key);
  if (live === undefined || live.turn <= held.turn) return false;
  if (live.flow?.turn === held.turn && live.flow.worker === worker.id) return true;
  return live.history.some((a) => a.turn === held.turn && a.worker === worker.id && a.outcome !== "lost");
}

/** Books an attempt that this engine did not assign: as the current one if it is, otherwise as a slot that is still taken. */
function adopt(state: Matching, worker: WorkerRecord, held: HeldRun): void {
  const { key, turn, origin, startedAt } = held;
  const live = state.fold.live.get(key);
  const isSame = live !== undefined && live.turn === turn && live.origin === origin;
  // An earlier leader's note is a guess: the worker that says it executes the run is right.
  const holder = isSame ? workerOf(live) : undefined;
  const isGuessed = isSame && holder !== undefined && holder !== worker && !holder.isRegistered;
  if (isGuessed) holder.release(origin, turn);
  const isCurrent = isSame && (isGuessed || isFree(live));
  const run = isCurrent ? live : undefined;
  const units = held.slotless === true ? 0 : (state.queues.get(taskOf(key))?.units ?? 1);
  worker.occupy({
    key,
    turn,
    origin,
    run,
    units,
    batch: 0,
    isAcknowledged: true,
    startedAt,
    missedBeats: 0,
    wasNamed: false,
    since: state.step.uptime,
    hasBegun: true,
    next: undefined,
  });
  if (run === undefined) return;
  setPlace(run, "running");
  run.holder = worker;
  if (state.siblings.size > 0) admitFound(state, run);
  queueOf(run).policies?.adopt(run);
}
