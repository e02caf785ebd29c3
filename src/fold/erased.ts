// Erased runs, and outcomes that were moved for that. The stone of an erased run is an outcome of an engine: whoever folds it knows
// what it says about the run, whether or not anything else of the run is left in the log.
import { taskOf } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import { addFinished, moveToEnd } from "./finish.ts";
import { type FinishedRun, finishedBy, type RememberedOutcome, setEntry } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import type { FoldedOutcome } from "./log-events.ts";

/**
 * Of a key that is not live. A later run with the same id is a different one; what a zombie says of an earlier one, where nothing else is left of
 * this run, makes way.
 */
export function foldStone(fold: Fold, stone: RememberedOutcome): void {
  const { outcome, seq, at } = stone;
  const { key, origin } = outcome;
  const known = fold.finished.get(key);
  if (known !== undefined && known.origin !== origin && !isHearsay(known, origin)) return;
  const before = known === undefined ? (fold.unexplained.get(key) ?? []) : known.remembered;
  const { createdAt = at } = (outcome.detail ?? {}) as Partial<FinalDetail>;
  const run = finishedBy(stone, key, taskOf(key), { createdAt, attempt: outcome.turn, metadata: undefined });
  run.firstOutcome = Math.min(known?.firstOutcome ?? seq, before?.[0]?.seq ?? seq);
  run.staleFinal = known?.staleFinal ?? 0;
  if (before !== undefined) run.remembered = [...before, stone];
  fold.unexplained.delete(key);
  put(fold, run, known);
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
  else setEntry(entries, known, 0);
  setEntry(entries, stone, entrySeq, known?.isCompacted);
  moveToEnd(fold, known ?? stone, stone);
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
  run.seq = seq;
  run.index = index;
  run.firstOutcome = Math.min(run.firstOutcome, seq); // an entry in finished form names the old place
  run.lastOutcome = Math.max(run.lastOutcome, seq);
  moveToEnd(fold, run);
  return true;
}
