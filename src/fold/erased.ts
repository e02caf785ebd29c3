// Erased runs, and outcomes that were moved for that. The stone of an erased run is an outcome of an engine: whoever folds it knows
// what it says about the run, whether or not anything else of the run is left in the log.
import { taskOf } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import { addFinished } from "./finish.ts";
import { type FinishedRun, type RememberedOutcome, setEntry, wasOf } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { FoldedOutcome } from "./log-events.ts";

/** Of a key that is not live. A later run with the same id is a different one. */
export function foldStone(fold: Fold, stone: RememberedOutcome): void {
  const { outcome, seq, at, index } = stone;
  const { key, origin } = outcome;
  const known = fold.finished.get(key);
  if (known !== undefined && known.origin !== origin) return;
  const before = known === undefined ? (fold.unexplained.get(key) ?? []) : known.remembered;
  const run: FinishedRun = {
    ...{ key, task: taskOf(key), kind: wasOf(outcome), seq, index, at, origin, writer: "" },
    createdAt: (outcome.detail as FinalDetail | undefined)?.createdAt ?? at,
    attempt: outcome.turn,
    ...{ metadata: undefined, why: undefined, inputStays: false, holdsInput: false, entrySeq: 0, isCompacted: false },
    firstOutcome: Math.min(known?.firstOutcome ?? seq, before?.[0]?.seq ?? seq, seq),
    lastOutcome: seq,
    staleFinal: known?.staleFinal ?? 0,
    remembered: before === undefined ? undefined : [...before, stone],
    isErased: true,
  };
  fold.unexplained.delete(key);
  if (known === undefined) addFinished(fold, run);
  else replace(fold, known, run);
  fold.entangled.add(key);
}

/** Its entry is no longer needed. */
function replace(fold: Fold, known: FinishedRun, stone: FinishedRun): void {
  const { entries } = fold.logOf(known.task);
  const { entrySeq, isCompacted } = known;
  setEntry(entries, known, 0);
  setEntry(entries, stone, entrySeq, isCompacted);
  fold.finished.delete(known.key);
  fold.unordered.delete(known);
  fold.finished.set(known.key, stone);
}

/** The accepted outcome of a run is there now; false if it was another one. It is the newest of all. */
export function moveOutcome(
  fold: Fold,
  outcome: FoldedOutcome,
  places: readonly number[],
  seq: number,
  index: number,
): boolean {
  const { key, kind, origin } = outcome;
  const run = fold.finished.get(key);
  if (run === undefined || !places.includes(run.seq) || run.origin !== origin || run.kind !== kind) return false;
  fold.finished.delete(key);
  fold.unordered.delete(run);
  run.seq = seq;
  run.index = index;
  run.lastOutcome = Math.max(run.lastOutcome, seq);
  fold.finished.set(key, run);
  fold.entangled.add(key);
  return true;
}
