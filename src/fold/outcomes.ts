// The rules of the fold for outcomes: the first accepted final one stands, the others move their run to its next turn.
import { isFinal, isOfEngine, taskOf } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import { applyOutcome } from "./apply-outcome.ts";
import { foldStone, moveOutcome, noteRemains } from "./erased.ts";
import { addFinished } from "./finish.ts";
import { finishedBy, type RememberedOutcome } from "./finished-run.ts";
import type { Fold } from "./fold.ts";
import { foldRetentionMark } from "./forget.ts";
import type { LiveRun } from "./live-run.ts";
import type { OutcomesEvent } from "./log-events.ts";

/** Rules 2 and 3. The subject of an entry shows who wrote it: what only an engine may say counts only if an engine did. */
export function foldOutcomes(fold: Fold, event: OutcomesEvent): void {
  const { seq, writer, told = "", moved, outcomes } = event;
  const at = moved?.at ?? event.at;
  const byEngine = event.by === "engine";
  fold.advance(seq, event.at);
  const isReport = !byEngine && moved === undefined;
  if (isReport) fold.listener?.reporting(writer);
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index]!;
    if (!byEngine && isOfEngine(outcome.kind)) continue;
    if (outcome.kind === "retention") {
      const { lastMark } = fold;
      if (moved !== undefined && lastMark !== undefined && outcome.dueAt <= lastMark.upTo) lastMark.seq = seq;
      else foldRetentionMark(fold, outcome, writer);
      continue;
    }
    if (moved !== undefined && moveOutcome(fold, outcome, moved.places, seq, index)) continue;
    if (isReport) fold.listener?.reported(outcome);
    const live = fold.live.get(outcome.key);
    if (live !== undefined) applyToLive(fold, live, { seq, at, index, byEngine, writer, told, outcome });
    else foldUnexplained(fold, { seq, at, index, byEngine, writer, told, outcome, places: moved?.places });
  }
}

function applyToLive(fold: Fold, run: LiveRun, remembered: RememberedOutcome): void {
  const applied = applyOutcome(fold, run, remembered);
  if (applied === "turned") fold.listener?.turned(run, remembered.writer);
  else if (applied === "wished") fold.listener?.wished(run);
}

function foldUnexplained(fold: Fold, remembered: RememberedOutcome): void {
  const { outcome, seq } = remembered;
  const { key } = outcome;
  if (outcome.kind === "erased") {
    foldStone(fold, remembered);
    return;
  }
  const finished = fold.finished.get(key);
  if (finished !== undefined) {
    if (finished.isErased && finished.origin === outcome.origin) noteRemains(fold, finished, seq); // it will be removed
    finished.firstOutcome = Math.min(finished.firstOutcome, seq);
    finished.lastOutcome = seq;
    finished.remembered?.push(remembered);
    fold.entangled.add(key);
    return;
  }
  const before = fold.unexplained.get(key);
  if (before === undefined) fold.unexplained.set(key, [remembered]);
  else before.push(remembered);
  if (isFinal(outcome.kind)) finishUnexplained(fold, remembered, fold.unexplained.get(key)!);
}

/** Rule 3: without an entry, the first final outcome is the one that counted. */
function finishUnexplained(fold: Fold, first: RememberedOutcome, remembered: RememberedOutcome[]): void {
  const { outcome, at } = first;
  const { key } = outcome;
  const { createdAt = at, attempts, metadata } = (outcome.detail ?? {}) as Partial<FinalDetail>;
  const run = finishedBy(first, key, taskOf(key), { createdAt, attempt: attempts?.at(-1)?.attempt ?? 1, metadata });
  run.firstOutcome = remembered[0]!.seq;
  run.remembered = remembered;
  fold.unexplained.delete(key);
  addFinished(fold, run);
  if (remembered.length > 1) fold.entangled.add(key);
}
