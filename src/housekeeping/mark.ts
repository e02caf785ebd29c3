// The next retention mark: up to where finished runs are forgotten. That happens in batches, since each costs a scan of the index.
import { NumberHeap } from "../collections/number-heap.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { House } from "./house.ts";

/** A batch is due when finished runs exceed what is kept by this share. */
const excessShare = 0.02;
const remainsWaitMs = 300_000;

/** Begins to forget runs if there are enough that can be forgotten. */
export function chooseMark(house: House): void {
  const { fold, retention, options, step } = house;
  const { finished, lastMark, outcomesFrom, pinned } = fold;
  // The writer of the last mark may have gone before it had purged what that gave up. It is purged now: perhaps nothing is ever marked again.
  if (lastMark !== undefined && Math.max(outcomesFrom, retention.purgedTo + 1) <= lastMark.upTo) {
    begin(house, "settling", lastMark.upTo);
    return;
  }
  // What came late about an erased run goes before its stone is forgotten, unless that fails for long.
  if (house.remains.size > 0 && step.uptime - house.remainsSince < remainsWaitMs) return;
  const excess = finished.size - pinned.size - options.keepCount;
  const takeCount = excess >= Math.max(1, options.keepCount * excessShare) ? excess : 0;
  const oldest = firstUnpinned(house);
  const takeOld = oldest !== undefined && step.now - oldest.at > options.keepMs * (1 + excessShare);
  if (takeCount === 0 && !takeOld) return;
  const upTo = markFor(house, takeCount, takeOld);
  if (upTo > 0 && house.mayForget(upTo)) begin(house, "clearing", upTo);
}

function begin({ unanswered, retention, step }: House, phase: "clearing" | "settling", upTo: number): void {
  retention.phase = phase;
  retention.upTo = upTo;
  unanswered.askedAt = step.uptime;
}

/** The first run that is not pinned. There are few pinned ones, or their parents wait for them. */
function firstUnpinned({ fold: { finished, pinned } }: House): FinishedRun | undefined {
  for (const run of finished.values()) if (pinned.size === 0 || !pinned.has(run.key)) return run;
  return undefined;
}

/** The lowest sequence that forgets this many runs, or all that are too old. Late outcomes of zombies may let a run outlive its neighbours. */
function markFor({ fold, options, step }: House, takeCount: number, takeOld: boolean): number {
  let upTo = 0;
  let taken = 0;
  const waiting = new NumberHeap<FinishedRun>();
  for (const run of fold.finished.values()) {
    if (taken >= takeCount && !(takeOld && step.now - run.at > options.keepMs)) break;
    if (fold.pinned.has(run.key)) continue;
    upTo = Math.max(upTo, run.seq);
    waiting.push(run.lastOutcome, run);
    for (; waiting.least <= upTo; waiting.pop()) taken++;
  }
  for (; taken < takeCount; taken++) {
    upTo = waiting.least;
    waiting.pop();
  }
  return taken === 0 ? 0 : upTo;
}
