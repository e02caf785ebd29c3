// The rules of the fold: what the log says, and nothing else, decides which runs are live, on which turn, and how finished ones ended.
import { isFinal, keyOf } from "../domain/run.ts";
import type { AttemptDetail, FinalDetail } from "../protocol/outcome-entry.ts";
import type { CompactedFinished, CompactedLive } from "../protocol/run-entry.ts";
import type { EntryEvent, FoldedOutcome, OutcomesEvent } from "./events.ts";
import { addFinished, finishRun } from "./finish.ts";
import type { FinishedRun, RememberedOutcome } from "./finished-run.ts";
import { advancePosition } from "./floor.ts";
import { foldRetentionMark } from "./forget.ts";
import { prunePositions } from "./garbage.ts";
import { LiveRun } from "./live-run.ts";
import { endRun, placeRun } from "./placement.ts";
import { releaseReported, supersede } from "./release.ts";
import type { SchedulerState } from "./state.ts";
import { forwardDuplicate } from "./waiters.ts";

/** Rules 1 and 4. */
export function foldEntry(state: SchedulerState, event: EntryEvent): void {
  const { seq, entry } = event;
  const key = keyOf(event.task, event.id);
  advancePosition(state, seq);
  const queue = state.queueOf(event.task);
  queue.entries.push(seq, key);
  if (queue.entries.size > queue.entries.pruneAt) prunePositions(state, queue);
  if (state.retention.compacting.size > 0) state.retention.compacting.delete(key);
  if (state.leftovers.size > 0) state.leftovers.delete(key);
  const compacted = entry.extra?.state;
  const live = state.live.get(key);
  if (live !== undefined) {
    live.seq = seq;
    if (compacted !== undefined) coverOutcomes(state, live, compacted.asOf);
    return;
  }
  const finished = state.finished.get(key);
  if (finished !== undefined && (compacted === undefined || finished.remembered === undefined)) {
    finished.entrySeq = seq;
    finished.isCompacted = entry.form === 2;
    queue.entries.garbage++;
    if (compacted === undefined) forwardDuplicate(state, finished, entry.inbox);
    return;
  }
  if (compacted === undefined) addNewRun(state, key, event);
  else if (entry.form === 1) addCompactedLive(state, key, event, compacted as CompactedLive, finished);
  else addCompactedFinished(state, key, event, compacted as CompactedFinished, finished);
}

function addNewRun(state: SchedulerState, key: string, event: EntryEvent): void {
  // What is remembered of the key belongs to an earlier run of the same id: its origin is older.
  if (state.unexplained.size > 0) state.unexplained.delete(key);
  const run = makeRun(state, key, event, event.seq);
  state.live.set(key, run);
  placeRun(state, run);
}

function makeRun(state: SchedulerState, key: string, event: EntryEvent, origin: number): LiveRun {
  const { priority, createdAt, dueAt, scheduleTimeoutMs, inbox, extra } = event.entry;
  const fields = {
    priority,
    createdAt,
    dueAt,
    scheduleTimeoutMs,
    inbox,
    bytes: event.bytes,
    metadata: extra?.metadata,
  };
  return new LiveRun(key, state.queueOf(event.task), origin, event.seq, fields);
}

function addCompactedLive(
  state: SchedulerState,
  key: string,
  event: EntryEvent,
  known: CompactedLive,
  finished: FinishedRun | undefined,
): void {
  const remembered = finished?.remembered ?? state.unexplained.get(key) ?? [];
  if (finished !== undefined) dropFinished(state, finished);
  state.unexplained.delete(key);
  const run = makeRun(state, key, event, known.origin);
  run.turn = known.turn;
  run.attempt = known.attempt;
  run.readyAt = known.readyAt;
  if (known.lost > 0 || known.history.length > 0) {
    const trail = run.leaveTrail();
    trail.lost = known.lost;
    trail.history = known.history;
  }
  state.live.set(key, run);
  for (const outcome of remembered) replay(state, run, known.asOf, outcome);
  if (state.live.get(key) === run) placeRun(state, run);
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

function addCompactedFinished(
  state: SchedulerState,
  key: string,
  event: EntryEvent,
  known: CompactedFinished,
  finished: FinishedRun | undefined,
): void {
  const remembered = finished?.remembered ?? state.unexplained.get(key) ?? [];
  if (finished !== undefined) dropFinished(state, finished);
  state.unexplained.delete(key);
  const { createdAt, extra } = event.entry;
  const { kind, seq, index, at, origin } = known;
  const run: FinishedRun = {
    key,
    task: event.task,
    kind,
    seq,
    index,
    at,
    origin,
    writer: "",
    createdAt,
    attempt: 0,
    metadata: extra?.metadata,
    firstOutcome: Math.min(seq, ...remembered.map((o) => o.seq)),
    lastOutcome: Math.max(seq, ...remembered.map((o) => o.seq)),
    staleFinal: 0,
    entrySeq: event.seq,
    isCompacted: true,
    remembered: undefined,
  };
  addFinished(state, run);
  if (run.firstOutcome !== run.lastOutcome) state.entangled.add(key);
}

/** Rules 2 and 3. */
export function foldOutcomes(state: SchedulerState, event: OutcomesEvent): void {
  const { seq, writer, outcomes } = event;
  const byEngine = event.by === "engine";
  advancePosition(state, seq);
  const worker = byEngine ? undefined : state.workers.get(writer);
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index]!;
    if (outcome.kind === "retention") {
      foldRetentionMark(state, outcome, writer);
      continue;
    }
    if (worker !== undefined) releaseReported(worker, outcome);
    const live = state.live.get(outcome.key);
    if (live !== undefined) applyToLive(state, live, { seq, index, byEngine, writer, outcome });
    else foldUnexplained(state, { seq, index, byEngine, writer, outcome });
  }
}

function applyToLive(state: SchedulerState, run: LiveRun, remembered: RememberedOutcome): void {
  const turn = run.turn;
  const accepted = applyOutcome(state, run, remembered);
  if (!accepted || run.place === "gone") return;
  if (run.turn !== turn) supersede(state, run, remembered.writer);
  if (run.cancelReason !== undefined && state.isLeading) endRun(state, run, "cancelled", { reason: run.cancelReason });
  else placeRun(state, run);
}

/** Changes the run as rule 2 says; true if the outcome counted. */
function applyOutcome(state: SchedulerState, run: LiveRun, remembered: RememberedOutcome): boolean {
  const { outcome, seq, byEngine } = remembered;
  const { kind } = outcome;
  const isSame = outcome.origin === run.origin;
  const isCurrent = isSame && outcome.turn === run.turn;
  if (isFinal(kind) && (isCurrent || (isSame && (kind === "completed" || (kind === "cancelled" && byEngine))))) {
    finishRun(state, run, remembered);
    return true;
  }
  const trail = run.leaveTrail();
  if (trail.uncovered === 0) trail.uncovered = seq;
  trail.last = seq;
  state.entangled.add(run.key);
  if (isFinal(kind)) {
    trail.staleFinal = seq;
    return false;
  }
  if (!isCurrent) return false;
  nextTurn(run, outcome);
  return true;
}

function nextTurn(run: LiveRun, outcome: FoldedOutcome): void {
  run.turn++;
  if (outcome.kind === "retry") {
    run.attempt++;
    run.readyAt = Math.max(outcome.dueAt, outcome.at);
  } else if (outcome.kind === "lost") run.leaveTrail().lost++;
  const detail = outcome.detail as AttemptDetail | undefined;
  if (detail?.attempt !== undefined) run.leaveTrail().history = [...run.history, detail.attempt];
}

function foldUnexplained(state: SchedulerState, remembered: RememberedOutcome): void {
  const { outcome, seq } = remembered;
  const { key } = outcome;
  const finished = state.finished.get(key);
  if (finished !== undefined) {
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
  const { outcome, seq, index, writer } = first;
  const { key, kind, at, origin } = outcome;
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
    remembered,
  });
  if (remembered.length > 1) state.entangled.add(key);
}

/** The entry knows now what came up to `asOf`. */
function coverOutcomes(state: SchedulerState, run: LiveRun, asOf: number): void {
  const { trail } = run;
  if (trail === undefined || trail.uncovered > asOf) return;
  trail.uncovered = trail.last > asOf ? asOf + 1 : 0;
  if (trail.uncovered === 0) state.entangled.delete(run.key);
}

function dropFinished(state: SchedulerState, run: FinishedRun): void {
  state.finished.delete(run.key);
  state.unordered.delete(run);
}
