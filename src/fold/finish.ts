import { isConclusive } from "../domain/run.ts";
import { forwardResult } from "../engine/waiters.ts";
import { supersede } from "../matching/release.ts";
import type { SchedulerState } from "../matching/state.ts";
import { setPlace } from "../matching/task-queue.ts";
import { handleFailure } from "../reactions/failures.ts";
import type { FinishedRun, RememberedOutcome } from "./finished-run.ts";
import type { LiveRun } from "./live-run.ts";

/** The first accepted final outcome: from here on the run is an entry of the index. */
export function finishRun(state: SchedulerState, run: LiveRun, accepted: RememberedOutcome): void {
  const { key, queue, createdAt, attempt, metadata, trail } = run;
  const { seq, at, index, byEngine, told, outcome } = accepted;
  setPlace(run, "gone");
  state.live.delete(key);
  if (state.cancelling.size > 0) state.cancelling.delete(run);
  if (run.worker !== undefined) supersede(state, run, accepted.writer);
  state.inputs.release(run.keptInput);
  const inputStays = outcome.inputStays === true;
  queue.entries[inputStays ? "kept" : "garbage"]++;
  const finished: FinishedRun = {
    key,
    task: queue.name,
    kind: outcome.kind,
    seq,
    index,
    at,
    origin: run.origin,
    writer: accepted.writer,
    createdAt,
    attempt,
    metadata,
    firstOutcome: trail?.uncovered || seq,
    lastOutcome: seq,
    staleFinal: trail?.staleFinal ?? 0,
    entrySeq: run.seq,
    isCompacted: false,
    inputStays,
    holdsInput: inputStays,
    remembered: undefined,
  };
  addFinished(state, finished);
  // Its creator takes a conclusive outcome from the log itself, and asks where another one came before.
  const isToldByLog = run.inbox === told && isConclusive(outcome.kind, byEngine);
  forwardResult(state, finished, isToldByLog ? "" : run.inbox);
  if (outcome.kind === "failed" && state.isLeading) handleFailure(state, finished);
}

/** Keeps the index in the order of outcomes; what comes late (a rebuild meets a compacted entry) is listed apart. */
export function addFinished(state: SchedulerState, run: FinishedRun): void {
  state.finished.set(run.key, run);
  if (run.seq < state.position) state.unordered.add(run);
}
