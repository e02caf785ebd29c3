// Erases a finished run in two steps: a stone in the log says that it existed, then its entry goes. The engine removes its outcomes
// from their entries: see requests/eraser.ts.

import { isFinal, taskOf } from "../domain/run.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { Fold } from "../fold/fold.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import type { FinalDetail } from "../wire/story.ts";
import { isNeeded } from "./compacted-run.ts";
import { compactFinished, compactLive, purgeEntry } from "./compaction.ts";
import { purgeHead } from "./garbage.ts";
import type { House } from "./house.ts";

/** Something of an erased run may be left. */
export function noteRemains(house: House, key: string): void {
  if (house.remains.size === 0) house.remainsSince = house.step.uptime;
  house.remains.add(key);
}

/**
 * An earlier leader may have died halfway, or somebody have reported late while nobody led. Of what the log says up to `upTo` nothing is left, unless
 * it is another log, restored or made anew.
 */
export function resumeErasures(house: House, upTo: number): void {
  const { fold, remains } = house;
  const isOther = upTo > fold.position;
  for (const [key, seq] of fold.remains) if (isOther || seq > upTo) noteRemains(house, key);
  if (isOther && remains.size === 0) storeErased(house);
}

/** Nothing is left of these that the log said up to `upTo`; what somebody has said since is erased next. */
export function endErasure(house: House, keys: readonly string[], upTo: number): void {
  const { fold, remains } = house;
  if (remains.size === 0) return;
  for (const key of keys) if ((fold.remains.get(key) ?? 0) <= upTo) remains.delete(key);
  if (remains.size === 0) storeErased(house);
}

/** So that the next leader need not erase all of them again. */
function storeErased({ fold, step }: House): void {
  step.commands.push({ type: "storeErased", upTo: fold.position });
}

/** Everything that marks up to there have given up is gone: until then a mark that moves would forget what came behind it. */
export const isGivenUp = ({ fold: { outcomesFrom }, retention: { purgedTo } }: House, upTo: number): boolean =>
  Math.max(outcomesFrom, purgedTo + 1) > upTo;

/** A mark is on its way, or what the last one gave up is not gone: what it forgets may be forgotten by the time that something else is stored. */
export const isMarking = (house: House): boolean =>
  house.retention.phase !== "idle" || !isGivenUp(house, house.fold.lastMark?.upTo ?? 0);

/** Of a run that has ended: a child's result stays as long as its parent waits for it. */
export const isErasable = (house: House, run: FinishedRun | undefined): run is FinishedRun =>
  run !== undefined && (run.isErased || !isNeeded(house, run));

/** Takes each finished run one step further and ignores the others. Safe to repeat. */
export function eraseRuns(house: House, keys: readonly string[]): void {
  for (const key of keys) {
    const run = house.fold.finished.get(key);
    if (!isErasable(house, run)) continue;
    noteRemains(house, key);
    if (run.isErased && outlives(run, run.lastOutcome)) {
      const log = house.fold.logOf(run.task);
      if (run.entrySeq > 0 && !isStone(run)) purgeEntry(house, log, key, run.entrySeq);
      else if (!isEntryGone(house.fold, key)) purgeHead(house, log);
      continue;
    }
    const { kind, origin, createdAt, attempt } = run;
    const was = kind === "failed" || kind === "cancelled" ? kind : "completed";
    const detail: FinalDetail = { createdAt, priority: 0, attempts: [], was };
    house.step.addOutcome({ key, origin, attempt, turn: Math.max(attempt, 1) }, "erased", { detail });
  }
}

/** The entry of an erased run says no more than its stone, and stands for it where a mark has given that up. Whoever wrote it had read the stone. */
const isStone = ({ isErased, isCompacted, firstOutcome, seq }: FinishedRun): boolean =>
  isErased && isCompacted && firstOutcome > seq;

/** A mark that gives up how a run ended gives up what stands at `seq` as well. Otherwise the run would be as old as that, until that is left out. */
const outlives = ({ seq: ended, isCompacted, firstOutcome }: FinishedRun, seq: number): boolean =>
  ended >= seq || (isCompacted && firstOutcome > seq);

/** Whether nothing of a run that has ended is left in an entry. For the fold it is gone as soon as its purge is asked for. */
export function isEntryGone(fold: Fold, key: string): boolean {
  const run = fold.finished.get(key);
  const hasNone = run === undefined || run.entrySeq === 0 || isStone(run);
  return hasNone && !fold.leftovers.has(key) && !fold.logOf(taskOf(key)).entries.isPurgeOpen;
}

/** The fold of the rest needs none of the outcomes of a run that has ended: its entry says how, or there is none that could start it again. */
const isSettled = (fold: Fold, key: string): boolean =>
  fold.finished.get(key)?.isCompacted === true || isEntryGone(fold, key);

/** Whether the fold of the rest needs nothing that an outcome up to `upTo` says about a run's turns. */
export function isCovered(fold: Fold, key: string, upTo: number): boolean {
  const run = fold.live.get(key);
  if (run !== undefined) return run.uncovered > upTo;
  const ended = fold.finished.get(key);
  return isSettled(fold, key) && (ended === undefined || outlives(ended, upTo));
}

/**
 * Whether the outcome of a run that stands at `seq` may stand at the tail: not if another final outcome is behind it, which would be the first then,
 * or the entry of a duplicate, which would be a new run; unless an entry in finished form says which one counts. This stands behind the last mark then:
 * the mark would forget a run of which nothing else is left before it. And not if a mark has given up what stands there: whoever has not read how a
 * forgotten run ended notices only that outcomes are gone from the front, as they will be.
 */
export function isMovable(fold: Fold, key: string, seq: number): boolean {
  if (seq <= (fold.lastMark?.upTo ?? 0)) return false;
  if (fold.live.has(key)) return true;
  const ended = fold.finished.get(key);
  if (ended === undefined) return isSettled(fold, key); // its outcome goes
  if (ended.isErased) return isSettled(fold, key) && outlives(ended, seq); // so does its
  if (ended.seq !== seq) return outlives(ended, seq); // or it is of another run, and goes
  if (ended.isCompacted) return ended.entrySeq > (fold.lastMark?.seq ?? 0);
  return ended.lastOutcome === seq && ended.entrySeq <= seq && (ended.entrySeq > 0 || isEntryGone(fold, key));
}

/** Puts the state of runs into their entries. */
export function coverRuns(house: House, keys: readonly string[]): void {
  for (const key of keys) {
    const run = house.fold.live.get(key);
    const ended = house.fold.finished.get(key);
    const leftover = house.fold.leftovers.get(key);
    const log = house.fold.logOf(taskOf(key));
    if (leftover !== undefined) purgeEntry(house, log, key, leftover);
    else if (run !== undefined) compactLive(house, run, true);
    else if (log.entries.isPurgeOpen) purgeHead(house, log);
    else if (ended?.isErased) eraseRuns(house, [key]);
    else if (ended !== undefined) compactFinished(house, ended);
  }
}

/** The runs to erase, by key: another run with the same id is not one of them. */
export type Origins = ReadonlyMap<string, number>;

/** Says something about one of them that is to go: its stone stays. */
export const isOf = (origins: Origins, { kind, key, origin }: FoldedOutcome): boolean =>
  kind !== "erased" && origins.get(key) === origin;

/**
 * What an entry of outcomes becomes without the erased runs. `rest` stands at the tail then: final outcomes, of the runs in `finals`, and what is of
 * no run, as are marks, the last of which gives up what is up to `givesUp`. What ended a turn would end it after its successors: it is left out, and
 * the runs in `turns` must not need it.
 */
export function withoutErased<T extends FoldedOutcome>(fold: Fold, origins: Origins, outcomes: readonly T[]) {
  const erased = outcomes.filter((outcome) => isOf(origins, outcome));
  const others = outcomes.filter((outcome) => !isOf(origins, outcome));
  const isOfTurn = ({ kind }: T) => !isFinal(kind) && kind !== "erased" && kind !== "retention";
  const finals = others.filter((outcome) => !isOfTurn(outcome));
  const rest = finals.filter((outcome) => outcome.kind === "retention" || isKept(fold, outcome));
  const keysOf = (some: readonly T[]) => some.map(({ key }) => key);
  const givesUp = Math.max(0, ...others.filter(({ kind }) => kind === "retention").map(({ dueAt }) => dueAt));
  return { turns: keysOf(others.filter(isOfTurn)), finals: keysOf([...erased, ...finals]), rest, givesUp };
}

/** What is forgotten or erased is left out: at the tail it would count again. */
function isKept({ live, finished }: Fold, { key, kind, origin }: FoldedOutcome): boolean {
  const run = finished.get(key);
  if ((live.get(key) ?? run)?.origin !== origin) return false;
  return kind === "erased" || run?.isErased !== true;
}
