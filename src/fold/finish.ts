import { isConclusive } from "../domain/run.ts";
import { isChild } from "./families.ts";
import { type FinishedRun, type RememberedOutcome, wasOf, whyOf } from "./finished-run.ts";
import { dropSignals } from "./flow.ts";
import type { Fold } from "./fold.ts";
import type { LiveRun } from "./live-run.ts";

/** The first accepted final outcome: from now on the run is an entry of the index. */
export function finishRun(fold: Fold, run: LiveRun, accepted: RememberedOutcome): void {
  const { key, log, createdAt, attempt, metadata, trail } = run;
  const { seq, at, index, byEngine, told, outcome } = accepted;
  fold.live.delete(key);
  log.liveCount--;
  if (fold.signals.size > 0) dropSignals(fold, key, seq);
  fold.inputs.release(run.keptInput);
  const isErased = outcome.kind === "erased";
  const inputStays = outcome.inputStays === true;
  const displacedBy = fold.displaced.size === 0 ? undefined : fold.displaced.get(key);
  if (displacedBy !== undefined) fold.displaced.delete(key);
  const holdsInput = inputStays && (displacedBy === undefined || displacedBy === run.seq);
  log.entries[holdsInput ? "kept" : "garbage"]++;
  const finished: FinishedRun = {
    key,
    task: log.name,
    kind: isErased ? wasOf(outcome) : outcome.kind,
    seq,
    index,
    at,
    origin: run.origin,
    writer: accepted.writer,
    createdAt,
    attempt,
    metadata: isErased ? undefined : metadata,
    why: whyOf(outcome),
    firstOutcome: Math.min(run.uncovered, seq),
    lastOutcome: seq,
    staleFinal: trail?.staleFinal ?? 0,
    entrySeq: displacedBy ?? run.seq,
    isCompacted: false,
    inputStays,
    holdsInput,
    remembered: undefined,
  };
  if (isErased) finished.isErased = true;
  addFinished(fold, finished, true);
  if (run.uncovered < seq) fold.entangled.add(key);
  if (isChild(run)) fold.families.left(run);
  if (fold.listener === undefined) return;
  // Its creator takes a conclusive outcome from the log itself, and asks if another one came before.
  const isToldByLog = run.inbox === told && isConclusive(outcome.kind, byEngine);
  fold.listener.finished(run, finished, isToldByLog ? "" : run.inbox);
}

/** Keeps the index in the order of outcomes; late ones (a rebuild finds a compacted entry) are listed separately. */
export function addFinished(fold: Fold, run: FinishedRun, wasLive = false): void {
  fold.finished.set(run.key, run);
  if (isChild(run)) fold.families.ended(run);
  if (run.seq < fold.position) fold.unordered.add(run);
  if (!wasLive) fold.listener?.learned(run);
}
