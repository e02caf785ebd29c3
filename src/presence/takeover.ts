import { beCautious, type Tried } from "../matching/caution.ts";
import type { LeadEvent } from "../matching/events.ts";
import { declarePolicies } from "../matching/limits/declare.ts";
import { forgetRates } from "../matching/limits/rates.ts";
import { placeRun } from "../matching/placement.ts";
import type { SchedulerState } from "../matching/state.ts";
import { isolate, returnSuspects } from "../matching/suspects.ts";
import { setPlace } from "../matching/task-queue.ts";
import { WorkerRecord } from "../matching/workers.ts";
import { handleMissedFailures } from "../reactions/failures.ts";

/** So long nothing is dispatched because of workers that have not answered. Whatever cannot be undone waits until they have, or are gone. */
const holdMs = 2_000;

/** Begins to lead. Nothing is dispatched before the workers that may execute something have said what. */
export function lead(state: SchedulerState, event: LeadEvent): void {
  state.isLeading = true;
  state.epoch = event.epoch;
  state.ledAt = state.now;
  state.retention.leadingSince = state.uptime;
  handleMissedFailures(state);
  for (const queue of state.queues.values()) if (queue.hasPlacements) declarePolicies(state, queue, undefined);
  countTime(state, event);
  state.process = event.process ?? "";
  if (event.cautious !== undefined) state.caution = { ...event.cautious, isProven: true };
  if (event.ledger !== undefined) adoptLedger(state, event);
  else awaitWorkers(state, event.knownWorkers, event.tried ?? []);
}

/** Only who handed over cleanly says until when it led; the time without a leader does not count, whoever was there before. */
function countTime(state: SchedulerState, { counted }: LeadEvent): void {
  const { now, queueIndex } = state;
  state.tickedAt = now;
  if (counted === undefined) queueIndex.counted.restart(now);
  else queueIndex.counted.resume(counted, now);
}

/** Each may still execute what is queued here. It counts as present until presence says otherwise. */
function awaitWorkers(state: SchedulerState, ids: readonly string[], tried: readonly Tried[]): void {
  const awaited = new Set([...ids, ...adoptTried(state, tried)].filter((id) => !workerOf(state, id).isRegistered));
  if (awaited.size === 0) return;
  state.hold = { awaited, until: state.uptime + holdMs };
  beCautious(state);
}

/** The leader before said who executes what: its workers count as present until presence says otherwise. */
function adoptLedger(state: SchedulerState, event: LeadEvent): void {
  for (const id of event.knownWorkers) workerOf(state, id);
  for (const { key, turn, worker } of event.ledger!) book(state, key, turn, worker);
}

/** What the leader before may have died of: its worker is dead as well, or will say that it is not. The workers of these attempts. */
function* adoptTried(state: SchedulerState, tried: readonly Tried[]): Iterable<string> {
  for (const { key, turn, worker: id, alone } of tried) {
    const worker = book(state, key, turn, id);
    if (worker === undefined) continue;
    if (alone === true) isolate(state, worker.process, state.live.get(key)!, worker);
    yield id;
  }
}

/** The attempt executes there, as far as one knows; undefined when it has ended. */
function book(state: SchedulerState, key: string, turn: number, id: string): WorkerRecord | undefined {
  const run = state.live.get(key);
  if (run === undefined || run.turn !== turn || run.place === "running" || run.place === "ending") return undefined;
  const worker = workerOf(state, id);
  const { origin } = run;
  worker.occupy({
    key,
    turn,
    origin,
    run,
    units: run.queue.units,
    batch: 0,
    isAcknowledged: true,
    startedAt: state.now,
    missedBeats: 0,
    wasNamed: false,
    hasBegun: true,
    next: undefined,
  });
  setPlace(run, "running");
  run.worker = worker;
  return worker;
}

function workerOf(state: SchedulerState, id: string): WorkerRecord {
  let worker = state.workers.get(id);
  if (worker === undefined) {
    worker = new WorkerRecord(id, state.uptime);
    state.workers.set(id, worker);
  }
  return worker;
}

/** A worker has said what it executes, or is gone. */
export function answered(state: SchedulerState, id: string): void {
  const { hold } = state;
  if (hold === undefined) return;
  hold.awaited.delete(id);
  if (hold.awaited.size === 0) state.hold = undefined;
}

/** Whether runs may be dispatched in spite of workers that have not answered: at worst one is executed twice. */
export const isHolding = ({ hold, uptime }: SchedulerState): boolean => hold !== undefined && uptime < hold.until;

/** Stops leading: forgets all soft state, so that what is left is what a standby knows. */
export function stepDown(state: SchedulerState): void {
  state.isLeading = false;
  state.hold = undefined;
  state.workers.clear();
  state.claimed.clear();
  state.lingering.clear();
  state.isolated.clear();
  state.tried.clear();
  state.caution = undefined;
  returnSuspects(state);
  state.cancelling.clear();
  state.unweighed.clear();
  state.waiters.clear();
  forgetRates(state);
  for (const queue of state.queues.values()) {
    for (const worker of queue.workers) queue.removeWorker(worker);
    declarePolicies(state, queue, undefined);
  }
  state.queueIndex.purging.clear();
  for (const run of state.live.values()) {
    run.worker = undefined;
    run.cancelReason = undefined;
    if (run.place === "running" || run.place === "ending" || run.place === "cancelling") placeRun(state, run);
  }
  state.retention.stop();
}
