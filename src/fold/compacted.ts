// Compacted entries (rule 4): such an entry is the state of its run as of `asOf`, and outcomes stored after that are applied to it.
import { isFinal } from "../domain/run.ts";
import type { CompactedFinished, CompactedLive } from "../wire/run-extra.ts";
import { applyOutcome } from "./apply-outcome.ts";
import { addLive } from "./create.ts";
import { noteRemains } from "./erased.ts";
import { addFinished } from "./finish.ts";
import { FinishedRun, type RememberedOutcome, setEntry } from "./finished-run.ts";
import { setFlow } from "./flow.ts";
import type { Fold } from "./fold.ts";
import type { Created, LiveRun, StoredWish } from "./live-run.ts";
import type { FoldedEntry } from "./log-events.ts";
import { Flow } from "./parked-run.ts";

export function addCompactedLive(
  fold: Fold,
  created: Created,
  known: CompactedLive,
  remembered: readonly RememberedOutcome[],
): void {
  const run = addLive(fold, created, known.origin);
  run.turn = known.turn;
  run.attempt = known.attempt;
  run.readyAt = known.readyAt;
  const { lost, history, cancelling, parked } = known;
  if (lost > 0 || history.length > 0 || cancelling !== undefined)
    Object.assign(run.leaveTrail(), { lost, history, cancelWish: wishOf(known) });
  if (parked !== undefined) setFlow(fold, run, new Flow(parked, "", 0, (name) => fold.textOnce(name)));
  for (const outcome of remembered) replay(fold, run, known.asOf, outcome);
  if (fold.live.get(run.key) === run) fold.listener?.created(run);
}

/** Entries of earlier releases do not say where the wish stands in the log: it is taken to precede everything that they cover. */
function wishOf({ cancelling, cancelledSeq, cancelledAt }: CompactedLive): StoredWish | undefined {
  return cancelling === undefined ? undefined : { reason: cancelling, seq: cancelledSeq ?? 0, at: cancelledAt ?? 0 };
}

/** An entry in finished form covers every outcome up to `asOf`, stored or not. So its run is forgotten as if its last outcome stood there. */
export function coverFinished(run: FinishedRun, asOf: number): void {
  run.firstOutcome = run.lastOutcome > asOf ? asOf + 1 : Number.POSITIVE_INFINITY;
  run.lastOutcome = Math.max(run.lastOutcome, asOf);
}

/** Applies an outcome that precedes the compacted entry in the stream but is newer than the state in it (rule 4). */
function replay(fold: Fold, run: LiveRun, asOf: number, remembered: RememberedOutcome): void {
  const { seq, outcome } = remembered;
  const finished = fold.finished.get(run.key);
  if (finished !== undefined) {
    finished.lastOutcome = seq;
    fold.entangled.add(run.key);
  } else if (seq > asOf) applyOutcome(fold, run, remembered);
  else if (isFinal(outcome.kind)) run.leaveTrail().staleFinal = seq;
}

export function addCompactedFinished(
  fold: Fold,
  { key, log, seq, entry }: Created,
  known: CompactedFinished,
  remembered: readonly RememberedOutcome[],
): void {
  const { kind, origin } = known;
  const isIt = ({ outcome, places, seq }: RememberedOutcome) =>
    outcome.origin === origin && (places?.includes(known.seq) || (outcome.kind === "erased" && seq > known.seq));
  const place = remembered.findLast(isIt) ?? known; // the outcome may have been moved since, or have a newer stone
  const run = new FinishedRun(key, log.name, kind, origin, place);
  run.createdAt = entry.createdAt;
  run.metadata = entry.extra?.metadata;
  run.why = known.why;
  run.isErased = known.erased === true;
  run.firstOutcome = remembered.find((o) => o.seq > known.asOf)?.seq ?? Number.POSITIVE_INFINITY;
  run.lastOutcome = Math.max(known.asOf, remembered.at(-1)?.seq ?? 0);
  run.inputStays = hasInput(entry) && known.pinned !== true;
  setEntry(log.entries, run, seq, true, run.inputStays);
  pin(fold, key, known);
  addFinished(fold, run);
  if (run.isErased) noteRemains(fold, run, run.seq);
  if (run.lastOutcome > known.asOf) fold.entangled.add(key);
}

const hasInput = ({ input }: FoldedEntry): boolean => input !== undefined && input.length > 0;

/** The entry says whether it holds the run's result and must stay until the parent has taken that. */
export function pin(fold: Fold, key: string, { pinned }: CompactedFinished): void {
  if (pinned === true) fold.pinned.add(key);
  else if (fold.pinned.size > 0) fold.pinned.delete(key);
}

/** Whether this entry of a finished run holds the run's input. A new entry is a duplicate, and has an input of its own. */
export function holdsInputOf({ inputStays, origin }: FinishedRun, entry: FoldedEntry): boolean {
  return inputStays && entry.extra?.state?.origin === origin && hasInput(entry);
}
