// Rule 4: a compacted entry is the state of its key as of `asOf`; what was written after that is applied to it.
import { isFinal } from "../domain/run.ts";
import type { FoldedEntry } from "../matching/events.ts";
import { placeRun } from "../matching/placement.ts";
import type { SchedulerState } from "../matching/state.ts";
import type { CompactedFinished, CompactedLive } from "../wire/run-extra.ts";
import { applyOutcome } from "./apply-outcome.ts";
import { addFinished } from "./finish.ts";
import { type FinishedRun, type RememberedOutcome, setEntry } from "./finished-run.ts";
import { type Created, LiveRun } from "./live-run.ts";

export function addCompactedLive(
  state: SchedulerState,
  created: Created,
  known: CompactedLive,
  finished: FinishedRun | undefined,
): void {
  const { key } = created;
  const remembered = finished?.remembered ?? state.unexplained.get(key) ?? [];
  if (finished !== undefined) dropFinished(state, finished);
  state.unexplained.delete(key);
  const run = makeRun(state, created, known.origin);
  run.turn = known.turn;
  run.attempt = known.attempt;
  run.readyAt = known.readyAt;
  if (known.lost > 0 || known.history.length > 0 || known.cancelling !== undefined) {
    const trail = run.leaveTrail();
    trail.lost = known.lost;
    trail.history = known.history;
    trail.cancelWish = known.cancelling;
  }
  state.live.set(key, run);
  for (const outcome of remembered) replay(state, run, known.asOf, outcome);
  if (state.live.get(key) === run) placeRun(state, run);
}

/** An entry in finished form stands for every outcome up to `asOf`, whether it is still there or not: the key is as old as that. */
export function coverFinished(run: FinishedRun, asOf: number): void {
  run.firstOutcome = run.lastOutcome > asOf ? asOf + 1 : Number.POSITIVE_INFINITY;
  run.lastOutcome = Math.max(run.lastOutcome, asOf);
}

/** Applies what came in the stream before the compacted entry but was written after it was made (rule 4). */
function replay(state: SchedulerState, run: LiveRun, asOf: number, remembered: RememberedOutcome): void {
  const { seq, outcome } = remembered;
  const finished = state.finished.get(run.key);
  if (finished !== undefined) {
    finished.lastOutcome = seq;
    state.entangled.add(run.key);
  } else if (seq > asOf) applyOutcome(state, run, remembered);
  else if (isFinal(outcome.kind)) run.leaveTrail().staleFinal = seq;
}

export function addCompactedFinished(
  state: SchedulerState,
  created: Created,
  known: CompactedFinished,
  finished: FinishedRun | undefined,
): void {
  const { key, queue, entry } = created;
  const remembered = finished?.remembered ?? state.unexplained.get(key) ?? [];
  if (finished !== undefined) dropFinished(state, finished);
  state.unexplained.delete(key);
  const { createdAt, extra } = entry;
  const { kind, seq, index, at, origin } = known;
  const run: FinishedRun = {
    key,
    task: queue.name,
    kind,
    seq,
    index,
    at,
    origin,
    writer: "",
    createdAt,
    attempt: 0,
    metadata: extra?.metadata,
    firstOutcome: remembered.find((o) => o.seq > known.asOf)?.seq ?? Number.POSITIVE_INFINITY,
    lastOutcome: Math.max(known.asOf, remembered.at(-1)?.seq ?? 0),
    staleFinal: 0,
    entrySeq: 0,
    isCompacted: false,
    inputStays: hasInput(entry),
    holdsInput: false,
    remembered: undefined,
  };
  setEntry(queue.entries, run, created.seq, true, hasInput(entry));
  addFinished(state, run);
  if (run.lastOutcome > known.asOf) state.entangled.add(key);
}

const hasInput = ({ input }: FoldedEntry): boolean => input !== undefined && input.length > 0;

/** Whether an entry that was written for a finished run brings its input along: a new one is a duplicate, with an input of its own. */
export function holdsInputOf({ inputStays, origin }: FinishedRun, entry: FoldedEntry): boolean {
  return inputStays && entry.extra?.state?.origin === origin && hasInput(entry);
}

export function makeRun(state: SchedulerState, created: Created, origin: number): LiveRun {
  const { queue, entry, inputs } = created;
  if (entry.extra?.placement?.affinity !== undefined) queue.hasPlacements = true;
  const kept = inputs === undefined ? state.inputs.keep(entry.input) : state.inputs.share(inputs);
  return new LiveRun(created, origin, state.inboxOnce(entry.inbox), kept);
}

/** The entry knows now what came up to `asOf`. */
export function coverOutcomes(state: SchedulerState, run: LiveRun, asOf: number): void {
  const { trail } = run;
  if (trail === undefined || trail.uncovered > asOf) return;
  trail.uncovered = trail.last > asOf ? asOf + 1 : 0;
  if (trail.uncovered === 0) state.entangled.delete(run.key);
}

function dropFinished(state: SchedulerState, run: FinishedRun): void {
  setEntry(state.queueOf(run.task).entries, run, 0);
  state.finished.delete(run.key);
  state.unordered.delete(run);
}
