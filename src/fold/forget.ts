import { isFinal } from "../domain/run.ts";
import type { FoldedOutcome } from "../matching/events.ts";
import type { SchedulerState } from "../matching/state.ts";
import { type FinishedRun, setEntry } from "./finished-run.ts";

/**
 * Folds a retention mark: every finished key whose outcomes are all at or below S is forgotten, by every engine alike.
 *
 * The writer removed the run entries of those keys up to `asOf` before it wrote the mark; entries behind that are leftovers, which a leader purges
 * before the outcomes. What a key without an entry had beside its final outcome stays remembered until it is purged.
 */
export function foldRetentionMark(state: SchedulerState, mark: FoldedOutcome, writer: string): void {
  const upTo = mark.dueAt;
  for (const run of state.finished.values()) {
    if (run.seq <= upTo) forget(state, run, upTo, mark.origin);
    else if (!state.unordered.has(run)) break;
  }
  for (const run of state.unordered) forget(state, run, upTo, mark.origin);
  // A writer marks again only after it purged what its mark before gave up.
  if (state.lastMark?.writer === writer) dropPurged(state, state.lastMark.upTo);
  state.lastMark = { writer, upTo };
  const { retention } = state;
  if (state.isLeading && writer === `e${state.epoch}` && retention.phase === "marking" && retention.upTo === upTo)
    retention.phase = "settling";
}

function forget(state: SchedulerState, run: FinishedRun, upTo: number, asOf: number): void {
  if (run.lastOutcome > upTo) return;
  const { key } = run;
  state.finished.delete(key);
  state.unordered.delete(run);
  state.entangled.delete(key);
  if (run.entrySeq > 0 && (run.isCompacted || run.entrySeq > asOf)) state.leftovers.set(key, run.entrySeq);
  setEntry(state.queueOf(run.task).entries, run, 0);
  const rest = run.remembered?.filter((o) => !isFinal(o.outcome.kind));
  if (rest !== undefined && rest.length > 0) state.unexplained.set(key, rest);
}

function dropPurged(state: SchedulerState, upTo: number): void {
  for (const [key, remembered] of state.unexplained) {
    const rest = remembered.filter((o) => o.seq > upTo);
    if (rest.length === 0) state.unexplained.delete(key);
    else if (rest.length < remembered.length) state.unexplained.set(key, rest);
  }
}
