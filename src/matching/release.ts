// How slots become free again, and how workers are told to stop attempts.
import type { AttemptRecord, Turn } from "../domain/run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import type { OutcomeDetail } from "../wire/story.ts";
import type { Stop } from "../wire/worker-messages.ts";
import { cancelReasonOf } from "./attached.ts";
import { isDurable } from "./durable/readiness.ts";
import type { Matching } from "./matching.ts";
import { type Booking, giveBack, type WorkerRecord, workerOf } from "./workers.ts";

/** Frees the slots of attempts whose code has ended; the attempts stay in the ledger until their outcomes are in the log. */
export function letGoOfEnded(state: Matching, id: string, attempts: readonly Turn[]): void {
  const worker = state.workers.get(id);
  if (worker === undefined) return;
  for (const { origin, turn } of attempts) {
    const booking = worker.find(origin, turn);
    if (booking !== undefined) worker.letGo(booking);
  }
}

/** A slot is free again once its worker's outcome is in the log, whether the fold accepts it or not. */
export function releaseReported(state: Matching, worker: WorkerRecord, outcome: FoldedOutcome): void {
  const reported = worker.remove(outcome.origin, outcome.turn);
  if (reported === undefined) return;
  giveBack(reported, reported.hasBegun ? 0 : sinceBegin(state, reported, outcome));
  worker.isHeld = false;
  if (outcome.kind === "returned") worker.ahead = 0; // what it has ahead would wait
}

/** How long ago, at most, the code of a reported attempt started: its own span by its worker's clock, as if it had ended now. */
function sinceBegin({ step }: Matching, { startedAt }: Booking, { detail, at }: FoldedOutcome): number {
  const record = detail === undefined ? undefined : "attempt" in detail ? detail.attempt : attemptsIn(detail).at(-1);
  const span = record === undefined || record.startedAt <= 0 ? 0 : at - record.startedAt;
  return Math.min(Math.max(span, 0), Math.max(step.now - startedAt, 0));
}

const attemptsIn = (detail: OutcomeDetail): readonly AttemptRecord[] => ("attempts" in detail ? detail.attempts : []);

/** The log has ended a turn that a worker may still be executing. Its slot stays taken until the worker reports, and the attempt is fenced. */
export function supersede(state: Matching, run: LiveRun, writer: string): void {
  const worker = workerOf(run);
  if (worker === undefined) return;
  run.holder = undefined;
  for (let a = worker.ledger.get(run.origin); a !== undefined; a = a.next) {
    if (a.run !== run) continue;
    a.run = undefined;
    if (worker.id !== writer) stopAttempt(state, worker, a);
  }
}

/**
 * Tells a worker to stop an attempt, if there is a reason to. Called again for each message of the worker that names the attempt: a stop may be
 * lost with a connection, or with the leader that sent it.
 */
export function stopAttempt(state: Matching, worker: WorkerRecord, booking: Booking): void {
  const { key, origin, turn, run } = booking;
  const wish = run === undefined ? undefined : isDurable(run) ? run.trail?.cancelWish : cancelReasonOf(run);
  if (run === undefined) {
    const reason = state.fold.live.has(key) ? "a newer attempt of the run has replaced it" : "the run has ended";
    stopOn(state, worker.id, { kind: "fence", key, origin, turn, reason });
  } else if (typeof wish === "string") stopOn(state, worker.id, { kind: "cancel", key, origin, turn, reason: wish });
  else if (wish !== undefined) stopOn(state, worker.id, { kind: "cancel", key, origin, turn, ...wish });
}

/** All that one step tells a worker to stop, one after the other, is one command. */
function stopOn(state: Matching, worker: string, stop: Stop): void {
  const last = state.step.commands.at(-1);
  if (last?.type === "cancelOn" && last.worker === worker) (last.runs as Stop[]).push(stop);
  else state.step.commands.push({ type: "cancelOn", worker, runs: [stop] });
}
