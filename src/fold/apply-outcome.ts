// What an outcome does to its live run, by rule 2: it ends the run, moves it to its next turn, or changes nothing.
import { type AttemptRecord, isConclusive, isFinal } from "../domain/run.ts";
import type { AttemptDetail, CancelWish } from "../wire/story.ts";
import { noteRemains } from "./erased.ts";
import { finishRun } from "./finish.ts";
import type { RememberedOutcome } from "./finished-run.ts";
import { parkRun } from "./flow.ts";
import type { Fold } from "./fold.ts";
import type { LiveRun } from "./live-run.ts";
import { dueAgainAt } from "./log-times.ts";

/** What an outcome did to its run. `wished`: the log says for the first time that the run is to be cancelled. */
export type Applied = "nothing" | "wished" | "turned" | "finished";

/** Applies rule 2. An outcome that does not end the run is noted even if it counts for nothing: retention must know that it is there. */
export function applyOutcome(fold: Fold, run: LiveRun, remembered: RememberedOutcome): Applied {
  const { outcome, seq, byEngine } = remembered;
  const { kind } = outcome;
  const isSame = outcome.origin === run.origin;
  if (kind === "erased") {
    if (!isSame) return "nothing";
    finishRun(fold, run, remembered);
    noteRemains(fold, fold.finished.get(run.key)!, seq);
    return "finished";
  }
  const isCurrent = isSame && outcome.turn === run.turn;
  if (isFinal(kind) && (isCurrent || (isSame && isConclusive(kind, byEngine)))) {
    finishRun(fold, run, remembered);
    return "finished";
  }
  fold.entangle(run, seq);
  if (isFinal(kind)) {
    run.leaveTrail().staleFinal = seq;
    return "nothing";
  }
  if (kind === "cancelling") {
    if (!isSame || !byEngine || run.trail?.cancelWish !== undefined) return "nothing";
    const reason = (outcome.detail as CancelWish | undefined)?.reason;
    if (reason === undefined) return "nothing";
    run.leaveTrail().cancelWish = { reason, seq, at: remembered.at };
    return "wished";
  }
  if (!isCurrent) return "nothing";
  nextTurn(run, remembered);
  if (kind === "parked") parkRun(fold, run, remembered);
  return "turned";
}

/** How many attempts a history keeps, the latest ones: a run may be retried forever. */
const rememberedAttempts = 100;

/** Ends a turn. The run begins to wait anew, and so does its schedule timeout. */
function nextTurn(run: LiveRun, remembered: RememberedOutcome): void {
  const { outcome } = remembered;
  run.turn++;
  run.readyAt = dueAgainAt(remembered);
  if (outcome.kind === "retry") run.attempt++;
  else if (outcome.kind === "lost") run.leaveTrail().lost++;
  const detail = outcome.detail as AttemptDetail | undefined;
  if (detail?.attempt !== undefined) run.leaveTrail().history = [...withRoom(run.history), detail.attempt];
}

const mostLosses = 20;

/** The history with room for one more attempt. A durable run may be lost any number of times in a row; the last few are enough to show that. */
function withRoom(history: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const last = history.slice(-mostLosses);
  const isAllLosses = last.length === mostLosses && last.every(({ outcome }) => outcome === "lost");
  const kept = isAllLosses ? [...history.slice(0, -mostLosses), ...last.slice(1)] : history;
  return kept.slice(1 - rememberedAttempts);
}
