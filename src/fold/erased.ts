// Erased runs, and outcomes that were moved for that. The stone of an erased run is an outcome of an engine: whoever folds it knows
// what it says about the run, whether or not anything else of the run is left in the log.
import { taskOf } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import { addFinished } from "./finish.ts";
import { type FinishedRun, type RememberedOutcome, setEntry, wasOf } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { FoldedOutcome } from "./log-events.ts";

/**
 * Of a key that is not live. A later run with the same id is a different one; what a zombie says of an earlier one, where nothing else is left of
 * this run, makes way.
 */
export function foldStone(fold: Fold, stone: RememberedOutcome): void {
  const { outcome, seq, at, index } = stone;
  const { key, origin } = outcome;
  const known = fold.finished.get(key);
  if (known !== undefined && known.origin !== origin && !isHearsay(known, origin)) return;
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
  put(fold, run, known);
  fold.entangled.add(key);
}

/** Of an earlier run, from outcomes alone: the entry of the later one has gone since. */
const isHearsay = (known: FinishedRun, origin: number): boolean =>
  known.remembered !== undefined && known.origin < origin;

/** In place of what was known. An entry that is left goes before the outcomes do: a duplicate's too, if the run was forgotten while its stone was on its way. */
function put(fold: Fold, stone: FinishedRun, known: FinishedRun | undefined): void {
  const { key, task } = stone;
  const { entries } = fold.logOf(task);
  const entrySeq = known?.entrySeq || fold.leftovers.get(key) || 0;
  if (fold.leftovers.get(key) === entrySeq) fold.leftovers.delete(key);
  if (known === undefined) addFinished(fold, stone);
  else {
    setEntry(entries, known, 0);
    fold.finished.delete(key);
    fold.unordered.delete(known);
    fold.finished.set(key, stone);
  }
  setEntry(entries, stone, entrySeq, known?.isCompacted);
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
  run.firstOutcome = Math.min(run.firstOutcome, seq); // an entry in finished form names the old place
  run.lastOutcome = Math.max(run.lastOutcome, seq);
  fold.finished.set(key, run);
  fold.entangled.add(key);
  return true;
}
