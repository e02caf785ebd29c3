import { isConclusive, isFinal } from "../domain/run.ts";
import type { SchedulerState } from "../matching/state.ts";
import type { AttemptDetail, CancelWish } from "../wire/outcome-entry.ts";
import { finishRun } from "./finish.ts";
import type { RememberedOutcome } from "./finished-run.ts";
import type { LiveRun } from "./live-run.ts";
import { dueAgainAt } from "./log-times.ts";

/** Changes the run as rule 2 says; true if the outcome counted. */
export function applyOutcome(state: SchedulerState, run: LiveRun, remembered: RememberedOutcome): boolean {
  const { outcome, seq, byEngine } = remembered;
  const { kind } = outcome;
  const isSame = outcome.origin === run.origin;
  const isCurrent = isSame && outcome.turn === run.turn;
  if (isFinal(kind) && (isCurrent || (isSame && isConclusive(kind, byEngine)))) {
    finishRun(state, run, remembered);
    return true;
  }
  const trail = run.leaveTrail();
  if (trail.uncovered === 0) trail.uncovered = seq;
  trail.last = seq;
  state.entangled.add(run.key);
  if (isFinal(kind)) {
    trail.staleFinal = seq;
    return false;
  }
  if (kind === "cancelling") {
    if (isSame && byEngine) trail.cancelWish ??= (outcome.detail as CancelWish | undefined)?.reason;
    return false;
  }
  if (!isCurrent) return false;
  nextTurn(run, remembered);
  return true;
}

/** Waiting starts anew. */
function nextTurn(run: LiveRun, remembered: RememberedOutcome): void {
  const { outcome } = remembered;
  run.turn++;
  run.readyAt = dueAgainAt(remembered);
  if (outcome.kind === "retry") run.attempt++;
  else if (outcome.kind === "lost") run.leaveTrail().lost++;
  const detail = outcome.detail as AttemptDetail | undefined;
  if (detail?.attempt !== undefined) run.leaveTrail().history = [...run.history, detail.attempt];
}
