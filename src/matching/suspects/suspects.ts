// matching/suspects/: which runs may be what kills their process, and who tries them alone.
// A run that is lost again and again together with its worker may be what kills it. So it is tried alone in a process: no other run dies with
// it, and it is known to be the cause before it is given up.

import type { LiveRun } from "../../fold/live-run.ts";
import { placeOf } from "../attached.ts";
import type { Matching } from "../matching.ts";
import { suitability } from "../needs.ts";
import type { TaskQueue } from "../task-queue.ts";
import { queueOf } from "../task-queue.ts";
import type { WorkerRecord } from "../workers.ts";
import type { Isolation, Suspect } from "./suspect.ts";

/** How many losses make a run a suspect. */
const suspectAfter = 3;
/** How long a process is kept free for a suspect. Units: milliseconds */
const drainMs = 30_000;
/** How long nothing else is started beside a suspect. Units: milliseconds */
const aloneMs = 60_000;

export const isSuspect = ({ lostLimit }: Matching, { lost }: LiveRun): boolean =>
  lost > 0 && lost >= Math.min(suspectAfter, lostLimit - 1);

/** Whether the run fails if it is lost once more: then it must be alone, however long that takes. */
const isLastTry = ({ lostLimit }: Matching, { lost }: LiveRun): boolean => lost + 1 >= lostLimit;

/** Keeps a suspect, which was taken from its queue, until it has a process to itself. */
export function setAside(state: Matching, suspect: Omit<Suspect, "turn">): void {
  state.suspects.push({ ...suspect, turn: suspect.run.turn });
}

/** Whether the worker's process is kept for a suspect: then nothing else is assigned to it. */
export const isIsolated = ({ isolated }: Matching, worker: WorkerRecord): boolean =>
  isolated.size > 0 && isolated.has(worker.process);

/** Whether the outcome of that turn is on its way to the log. */
export const isEnding = (run: LiveRun, turn: number): boolean => run.turn === turn && placeOf(run) === "ending";

/** Whether nothing else was executing in the run's process; also while the outcome of the attempt is on its way to the log. */
export function wasAlone(state: Matching, worker: WorkerRecord, run: LiveRun): boolean {
  const isolation = state.isolated.get(worker.process);
  const itself = worker.find(run.origin, run.turn) === undefined ? 0 : 1;
  return isolation?.run === run && isolation.worker === worker && heldIn(state, worker.process) === itself;
}

/** A worker has said in which process it runs. */
export function moveTo(state: Matching, worker: WorkerRecord, process: string): void {
  const isolation = state.isolated.get(worker.process);
  if (isolation?.worker === worker && process !== worker.process) {
    state.isolated.delete(worker.process);
    state.isolated.set(process, isolation);
  }
  worker.process = process;
  worker.isOurs = process === state.process;
}

/** A suspect was found executing. If it is alone in its process, nothing else is started there. */
export function isolateFound(state: Matching, worker: WorkerRecord, run: LiveRun): void {
  if (!isSuspect(state, run) || state.isolated.has(worker.process)) return;
  if (heldIn(state, worker.process) === 1) isolate(state, worker.process, run, worker);
}

/** Keeps a process for a run: it executes there alone, or waits for that (`worker` is undefined). */
export function isolate(state: Matching, process: string, run: LiveRun, worker: WorkerRecord | undefined): void {
  state.isolated.set(process, { run, turn: run.turn, since: state.step.uptime, worker });
}

/** The suspects that may start now, each with its worker. The caller starts each before it asks for the next. */
export function* readySuspects(state: Matching): Iterable<Suspect & { readonly worker: WorkerRecord }> {
  endIsolations(state);
  const waiting: Suspect[] = [];
  for (const suspect of state.suspects.splice(0)) {
    if (placeOf(suspect.run) !== "queued" || suspect.run.turn !== suspect.turn) {
      handBack(suspect);
      continue;
    }
    const worker = queueOf(suspect.run).isPaused ? undefined : findAlone(state, suspect);
    if (worker === undefined) waiting.push(suspect);
    else yield { ...suspect, worker };
  }
  state.suspects.push(...waiting);
}

/** Puts the suspects of a queue back among ordinary waiting runs. */
export function returnSuspects(state: Matching, queue: TaskQueue): void {
  if (state.suspects.length === 0) return;
  const all = state.suspects.splice(0);
  for (const suspect of all) {
    const { run, turn } = suspect;
    if (queueOf(run) !== queue) {
      state.suspects.push(suspect);
      continue;
    }
    handBack(suspect);
    if (placeOf(run) !== "queued" || run.turn !== turn) continue;
    const { policies, ready, counts } = queueOf(run);
    if (policies === undefined) ready.push(run, queueOf(run).priorityOf(run), counts.queued);
    else policies.arrive(run);
  }
}

/** Its limits no longer count the suspect. */
function handBack({ lane }: Suspect): void {
  lane?.refund();
  lane?.giveBack();
}

function endIsolations(state: Matching): void {
  for (const [process, isolation] of state.isolated) {
    const { run, turn, worker, since } = isolation;
    const isOver =
      worker === undefined
        ? placeOf(run) !== "queued" || run.turn !== turn
        : (worker.find(run.origin, turn) === undefined && !isEnding(run, turn)) ||
          (!isLastTry(state, run) && state.step.uptime - since >= aloneMs);
    if (isOver) state.isolated.delete(process);
  }
}

/** A worker in a process where nothing executes. While there is none, the process with the fewest attempts is kept free for the suspect. */
function findAlone(state: Matching, suspect: Suspect): WorkerRecord | undefined {
  const { run } = suspect;
  let kept: [string, Isolation] | undefined;
  for (const entry of state.isolated) if (entry[1].run === run) kept = entry;
  const able = workersFor(state, suspect, kept?.[0]);
  const best = able.reduce<WorkerRecord | undefined>(
    (a, b) => (a === undefined || heldIn(state, b.process) < heldIn(state, a.process) ? b : a),
    undefined,
  );
  if (best === undefined) {
    if (kept !== undefined) state.isolated.delete(kept[0]);
    return undefined;
  }
  if (heldIn(state, best.process) === 0 && best.free >= suspect.units) {
    isolate(state, best.process, run, best);
    return best;
  }
  if (kept === undefined) isolate(state, best.process, run, undefined);
  else if (!isLastTry(state, run) && state.step.uptime - kept[1].since >= drainMs && best.free >= suspect.units) {
    state.isolated.delete(kept[0]);
    return best;
  }
  return undefined;
}

/** The workers that could take the suspect; only those of the process that is kept for it, if one is. */
function workersFor(state: Matching, { run, units, needs }: Suspect, process?: string): WorkerRecord[] {
  return [...queueOf(run).workers].filter(
    (worker) =>
      worker.isAssignable &&
      worker.slots >= units &&
      (process === undefined ? !isIsolated(state, worker) : worker.process === process) &&
      (needs === undefined || suitability(needs, worker) !== undefined),
  );
}

/** How many attempts the workers of a process have. */
function heldIn(state: Matching, process: string): number {
  let held = 0;
  for (const worker of state.workers.values()) if (worker.process === process) held += worker.ledger.size;
  return held;
}
