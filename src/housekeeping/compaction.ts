import type { Bundle } from "../fold/entry-log.ts";
import { type FinishedRun, isEntryGarbage, setEntry } from "../fold/finished-run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { CompactedRun } from "../matching/commands.ts";
import type { SchedulerState } from "../matching/state.ts";
import type { TaskQueue } from "../matching/task-queue.ts";

/** An attempt that runs for longer is compacted while it runs: it would hold up the purge of everything behind it. */
const patienceMs = 60_000;

/** Moves the entry of a live run to the tail, with the run as it is known now. False if that has to wait. */
export function compactLive(state: SchedulerState, run: LiveRun): boolean {
  const { key, queue, seq } = run;
  const bundle = queue.entries.bundleAt(seq);
  // At once: some run of it may be executed at any time until it is drained.
  if (bundle !== undefined) return compactBundle(state, queue, seq, bundle, true);
  if (mayEndSoon(state, run)) return false;
  compact(state, queue, key, false, seq, [liveForm(state, run)]);
  return true;
}

/** Writes, or moves to the tail, the state of a finished key as an entry, so that its outcomes may go. */
export function compactFinished(state: SchedulerState, run: FinishedRun): void {
  const queue = state.queueOf(run.task);
  const bundle = queue.entries.bundleAt(run.entrySeq);
  if (bundle !== undefined) compactBundle(state, queue, run.entrySeq, bundle, true);
  else compact(state, queue, run.key, false, run.entrySeq, [finishedForm(state, run)]);
}

/**
 * Moves what must stay of a bundle to the tail, under the bundle's name: its sequence keeps two engines from both doing it. A bundle of
 * which nothing must stay is purged. False if it has to wait for attempts that may end soon; `atOnce` waits for none.
 */
export function compactBundle(
  state: SchedulerState,
  queue: TaskQueue,
  seq: number,
  { name, keys }: Bundle,
  atOnce: boolean,
): boolean {
  const left: CompactedRun[] = [];
  for (const key of keys) {
    const live = state.live.get(key);
    const finished = state.finished.get(key);
    if (live?.seq === seq) {
      if (!atOnce && mayEndSoon(state, live)) return false;
      left.push(liveForm(state, live));
    } else if (finished?.entrySeq === seq && !isEntryGarbage(finished, state.retention))
      left.push(finishedForm(state, finished));
  }
  if (left.length > 0) compact(state, queue, name, true, seq, left);
  else purgeSingle(state, name, { bundle: name, of: queue.name }, seq);
  return true;
}

/** Removes the entry of a key, or what stands for the key in a bundle. */
export function purgeEntry(state: SchedulerState, queue: TaskQueue, key: string, seq: number): void {
  const bundle = queue.entries.bundleAt(seq);
  if (bundle === undefined) purgeSingle(state, key, { key }, seq);
  else compactBundle(state, queue, seq, bundle, true);
}

/** The expected entry is not there any more: purged, or replaced by one that the fold will bring. */
export function compactionRefused(
  state: SchedulerState,
  { task, name, expectSeq }: { readonly task: string; readonly name: string; readonly expectSeq: number },
): void {
  const { entries } = state.queueOf(task);
  state.retention.compacting.delete(name);
  for (const key of entries.bundleAt(expectSeq)?.keys ?? [name]) {
    const finished = state.finished.get(key);
    if (finished?.entrySeq === expectSeq) setEntry(entries, finished, 0);
  }
}

function compact(
  state: SchedulerState,
  { name: task }: TaskQueue,
  name: string,
  isBundle: boolean,
  expectSeq: number,
  runs: readonly CompactedRun[],
): void {
  const { compacting } = state.retention;
  if (compacting.has(name)) return;
  compacting.set(name, expectSeq);
  state.commands.push({ type: "compact", task, name, isBundle, expectSeq, runs });
}

function purgeSingle(
  state: SchedulerState,
  name: string,
  filter: { readonly key: string } | { readonly bundle: string; readonly of: string },
  seq: number,
): void {
  state.retention.purgingKeys.set(name, seq + 1);
  state.commands.push({ type: "purge", filter, keepFrom: seq + 1 });
}

function mayEndSoon(state: SchedulerState, run: LiveRun): boolean {
  if (run.place !== "running") return false;
  const startedAt = run.worker?.find(run.origin, run.turn)?.startedAt ?? state.now;
  return state.now - startedAt < patienceMs;
}

function liveForm(state: SchedulerState, run: LiveRun): CompactedRun {
  const { key, priority, createdAt, scheduleTimeoutMs, inbox, metadata, placement, seq } = run;
  const { origin, turn, attempt, lost, readyAt, history } = run;
  const isWaiting = run.place === "scheduled" || run.place === "retrying";
  const dueAt = isWaiting ? readyAt : 0;
  const retrying = run.place === "retrying";
  const cancelling = run.trail?.cancelWish;
  const known = {
    ...{ asOf: state.position, origin, turn, attempt, lost, dueAt, readyAt, retrying, history },
    ...(cancelling === undefined ? {} : { cancelling }),
  };
  const extra = {
    ...(metadata === undefined ? {} : { metadata }),
    ...(placement === undefined ? {} : { placement }),
    state: known,
  };
  return { key, inputSeq: seq, entry: { form: 1, priority, createdAt, dueAt, scheduleTimeoutMs, inbox, extra } };
}

/** With the input where only its entry holds that. */
function finishedForm(state: SchedulerState, run: FinishedRun): CompactedRun {
  const { key, kind, origin, seq, index, at, createdAt, metadata } = run;
  const known = { asOf: state.position, origin, kind, seq, index, at };
  const extra = { ...(metadata === undefined ? {} : { metadata }), state: known };
  const plain = { priority: 0, dueAt: 0, scheduleTimeoutMs: undefined, inbox: "" };
  const inputSeq = run.holdsInput ? run.entrySeq : 0;
  return { key, inputSeq, entry: { form: 2, createdAt, extra, ...plain } };
}
