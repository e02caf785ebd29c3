// The rules of the fold: what the log says, and nothing else, decides which runs are live, on which turn, and how finished ones ended.
import { originIn } from "../domain/origin.ts";
import { isFinal, keyOf } from "../domain/run.ts";
import { forwardDuplicate } from "../engine/waiters.ts";
import { prunePositions } from "../housekeeping/garbage.ts";
import { heedWish } from "../matching/cancel.ts";
import type { BundleEvent, EntryEvent, OutcomesEvent } from "../matching/events.ts";
import { endReported } from "../matching/lingering.ts";
import { placeRun } from "../matching/placement.ts";
import { releaseReported, supersede } from "../matching/release.ts";
import type { SchedulerState } from "../matching/state.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import type { FinalDetail } from "../wire/outcome-entry.ts";
import type { CompactedFinished, CompactedLive } from "../wire/run-extra.ts";
import { applyOutcome } from "./apply-outcome.ts";
import type { Content } from "./entry-log.ts";
import { addFinished } from "./finish.ts";
import { type RememberedOutcome, setEntry } from "./finished-run.ts";
import { advancePosition } from "./floor.ts";
import {
  addCompactedFinished,
  addCompactedLive,
  coverFinished,
  coverOutcomes,
  holdsInputOf,
  makeRun,
} from "./fold-compacted.ts";
import { foldRetentionMark } from "./forget.ts";
import type { Created, LiveRun } from "./live-run.ts";

/** Rules 1 and 4, for a run with an entry of its own. */
export function foldEntry(state: SchedulerState, { seq, at, task, id, entry }: EntryEvent): void {
  const key = keyOf(task, id);
  const queue = addPosition(state, task, seq, key, key);
  foldRun(state, { key, queue, seq, at, origin: seq, entry });
}

/** Rules 1 and 4, for each run of a bundle. */
export function foldBundle(state: SchedulerState, { seq, at, task, name, runs }: BundleEvent): void {
  const keys = runs.map(({ id }) => keyOf(task, id));
  const queue = addPosition(state, task, seq, name, { name, keys });
  const isNew = runs[0]?.entry.form === 0;
  const inputs = isNew ? state.inputs.keepAll(runs.map(({ entry }) => entry.input)) : undefined;
  for (let i = 0; i < runs.length; i++)
    foldRun(state, { key: keys[i]!, queue, seq, at, origin: originIn(seq, i), entry: runs[i]!.entry, inputs });
}

function addPosition(state: SchedulerState, task: string, seq: number, name: string, content: Content): TaskQueue {
  advancePosition(state, seq);
  const queue = state.queueOf(task);
  queue.entries.push(seq, content);
  if (queue.entries.size > queue.entries.pruneAt) prunePositions(state, queue);
  if (state.retention.compacting.size > 0) state.retention.compacting.delete(name);
  return queue;
}

function foldRun(state: SchedulerState, created: Created): void {
  const { key, queue, seq, entry } = created;
  if (state.leftovers.size > 0) state.leftovers.delete(key);
  const compacted = entry.extra?.state;
  const live = state.live.get(key);
  if (live !== undefined) {
    live.seq = seq;
    if (compacted !== undefined) coverOutcomes(state, live, compacted.asOf);
    return;
  }
  const finished = state.finished.size === 0 ? undefined : state.finished.get(key);
  if (finished !== undefined && (compacted === undefined || finished.remembered === undefined)) {
    setEntry(queue.entries, finished, seq, entry.form === 2, holdsInputOf(finished, entry));
    if (entry.form === 2) coverFinished(finished, compacted!.asOf);
    if (compacted === undefined) forwardDuplicate(state, finished, entry.inbox);
    return;
  }
  if (compacted === undefined) addNewRun(state, created);
  else if (entry.form === 1) addCompactedLive(state, created, compacted as CompactedLive, finished);
  else addCompactedFinished(state, created, compacted as CompactedFinished, finished);
}

function addNewRun(state: SchedulerState, created: Created): void {
  // What is remembered of the key belongs to an earlier run of the same id: its origin is older.
  if (state.unexplained.size > 0) state.unexplained.delete(created.key);
  const run = makeRun(state, created, created.origin);
  state.live.set(created.key, run);
  placeRun(state, run);
}

/** Rules 2 and 3. */
export function foldOutcomes(state: SchedulerState, event: OutcomesEvent): void {
  const { seq, at, writer, told = "", outcomes } = event;
  const byEngine = event.by === "engine";
  advancePosition(state, seq);
  const worker = byEngine ? undefined : state.workers.get(writer);
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index]!;
    if (outcome.kind === "retention") {
      foldRetentionMark(state, outcome, writer);
      continue;
    }
    if (worker !== undefined) releaseReported(state, worker, outcome);
    if (state.lingering.size > 0) endReported(state, writer, outcome.origin, outcome.turn);
    const live = state.live.get(outcome.key);
    if (live !== undefined) applyToLive(state, live, { seq, at, index, byEngine, writer, told, outcome });
    else foldUnexplained(state, { seq, at, index, byEngine, writer, told, outcome });
  }
}

function applyToLive(state: SchedulerState, run: LiveRun, remembered: RememberedOutcome): void {
  const { turn, cancelReason } = run;
  const accepted = applyOutcome(state, run, remembered);
  if (remembered.outcome.kind === "cancelling") {
    if (run.cancelReason !== cancelReason) heedWish(state, run);
    return;
  }
  if (!accepted || run.place === "gone") return;
  if (run.turn !== turn) supersede(state, run, remembered.writer);
  placeRun(state, run);
}

function foldUnexplained(state: SchedulerState, remembered: RememberedOutcome): void {
  const { outcome, seq } = remembered;
  const { key } = outcome;
  const finished = state.finished.get(key);
  if (finished !== undefined) {
    finished.firstOutcome = Math.min(finished.firstOutcome, seq);
    finished.lastOutcome = seq;
    finished.remembered?.push(remembered);
    state.entangled.add(key);
    return;
  }
  const before = state.unexplained.get(key);
  if (before === undefined) state.unexplained.set(key, [remembered]);
  else before.push(remembered);
  if (isFinal(outcome.kind)) finishUnexplained(state, remembered, state.unexplained.get(key)!);
}

/** Rule 3: without an entry, the first final outcome is the one that counted. */
function finishUnexplained(state: SchedulerState, first: RememberedOutcome, remembered: RememberedOutcome[]): void {
  const { outcome, seq, at, index, writer } = first;
  const { key, kind, origin } = outcome;
  const detail = outcome.detail as FinalDetail | undefined;
  state.unexplained.delete(key);
  addFinished(state, {
    key,
    task: key.slice(0, key.indexOf("/")),
    kind,
    seq,
    index,
    at,
    origin,
    writer,
    createdAt: detail?.createdAt ?? at,
    attempt: detail?.attempts?.at(-1)?.attempt ?? 1,
    metadata: detail?.metadata,
    firstOutcome: remembered[0]!.seq,
    lastOutcome: seq,
    staleFinal: 0,
    entrySeq: 0,
    isCompacted: false,
    inputStays: outcome.inputStays === true,
    holdsInput: false,
    remembered,
  });
  if (remembered.length > 1) state.entangled.add(key);
}
