// Lingering: a lost attempt may still be executing on a worker that is cut off. It counts under concurrency limits until that must have stopped (ADR 18).

import { stoppedAfterMs } from "../../domain/cut-off.ts";
import { taskOf } from "../../domain/run.ts";
import type { Matching } from "../matching.ts";
import { queueOf, type TaskQueue } from "../task-queue.ts";
import { type Booking, begin, type WorkerRecord } from "../workers.ts";
import type { Lingering } from "./lost-attempt.ts";

/** The attempt is lost, but still counts. Called before its booking is removed. */
export function linger(state: Matching, worker: WorkerRecord, booking: Booking): void {
  const { key, run, origin, turn, lane } = booking;
  if (lane === undefined || !lane.isKeyed || worker.isDead) return;
  if (!booking.hasBegun) begin(booking, 0);
  booking.lane = undefined;
  const beatsLeft = booking.isAcknowledged ? 1 : 2;
  const until = worker.lastBeat + stoppedAfterMs;
  const lingering = { run, task: taskOf(key), origin, turn, lane, until, beatsLeft };
  const others = state.lingering.get(worker.id);
  if (others === undefined) state.lingering.set(worker.id, [lingering]);
  else others.push(lingering);
}

/** The worker has named what it executes: that counts with its booking again. What it does not name has stopped, unless it may not know of it yet. */
export function settle(state: Matching, worker: WorkerRecord): void {
  const all = state.lingering.get(worker.id);
  if (all === undefined) return;
  const kept = all.filter((lingering) => !isSettled(worker, lingering));
  if (kept.length === 0) state.lingering.delete(worker.id);
  else state.lingering.set(worker.id, kept);
}

function isSettled(worker: WorkerRecord, lingering: Lingering): boolean {
  const { origin, turn, lane } = lingering;
  const found = worker.find(origin, turn);
  if (found !== undefined && found.lane === undefined) found.lane = lane;
  else if (found === undefined && --lingering.beatsLeft > 0) return false;
  else lane?.giveBack();
  return true;
}

/** The worker has stopped whatever it was executing. */
export function endAll(state: Matching, worker: string): void {
  state.unheard.delete(worker);
  for (const { lane } of state.lingering.get(worker) ?? []) lane?.giveBack();
  state.lingering.delete(worker);
}

/** The outcome of a lost attempt is in the log, so it has stopped. */
export function endReported(state: Matching, worker: string, origin: number, turn: number): void {
  keepWhere(state, worker, (lingering) => lingering.origin !== origin || lingering.turn !== turn);
}

/** Ends what nobody can still be executing, so long ago was it lost. */
export function endStopped(state: Matching): void {
  for (const worker of state.lingering.keys()) keepWhere(state, worker, ({ until }) => until > state.step.uptime);
}

/** The limits of a task have changed: its lost attempts count under the new ones. */
export function redeclareLingering(state: Matching, queue: TaskQueue): void {
  for (const all of state.lingering.values())
    for (const lingering of all)
      if (lingering.run !== undefined && queueOf(lingering.run) === queue)
        lingering.lane = queue.policies?.linger(lingering.run);
}

function keepWhere(state: Matching, worker: string, isKept: (lingering: Lingering) => boolean): void {
  const all = state.lingering.get(worker);
  if (all === undefined) return;
  const kept = all.filter(isKept);
  if (kept.length === all.length) return;
  for (const lingering of all) if (!kept.includes(lingering)) lingering.lane?.giveBack();
  if (kept.length === 0) state.lingering.delete(worker);
  else state.lingering.set(worker, kept);
}
