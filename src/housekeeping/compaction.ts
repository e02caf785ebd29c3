import type { Bundle } from "../fold/entry-log.ts";
import { isChild } from "../fold/families.ts";
import { type FinishedRun, setEntry } from "../fold/finished-run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import { placeOf } from "../matching/attached.ts";
import type { CompactedRun } from "../matching/commands.ts";
import { workerOf } from "../matching/workers.ts";
import type { House } from "./house.ts";
import { isEntryGarbage } from "./retention-state.ts";

/** A run whose attempt takes longer is compacted while it executes: otherwise it would block the purge of everything behind it. */
const patienceMs = 60_000;

/** Moves the entry of a live run to the tail, with its current state. False if that has to wait; with `atOnce` it does not. */
export function compactLive(house: House, run: LiveRun, atOnce = false): boolean {
  const { key, log, seq } = run;
  const bundle = log.entries.bundleAt(seq);
  // At once: some of its runs may be executing at any time until it is drained.
  if (bundle !== undefined) return compactBundle(house, log, seq, bundle, true);
  if (!atOnce && mayEndSoon(house, run)) return false;
  compact(house, log, key, false, seq, [liveForm(house, run)]);
  return true;
}

/** Writes the state of a finished key as an entry at the tail, so that its outcomes may go. */
export function compactFinished(house: House, run: FinishedRun): void {
  const log = house.fold.logOf(run.task);
  const bundle = log.entries.bundleAt(run.entrySeq);
  if (bundle !== undefined) compactBundle(house, log, run.entrySeq, bundle, true);
  else compact(house, log, run.key, false, run.entrySeq, [finishedForm(house, run)]);
}

/**
 * Moves what must stay of a bundle to the tail, under the bundle's name: the expected sequence keeps two engines from both doing it. A bundle of
 * which nothing must stay is purged. False if it has to wait for attempts that may end soon; `atOnce` waits for none.
 */
export function compactBundle(
  house: House,
  log: LoggedTask,
  seq: number,
  { name, keys }: Bundle,
  atOnce: boolean,
): boolean {
  const left: CompactedRun[] = [];
  for (const key of keys) {
    const live = house.fold.live.get(key);
    const finished = house.fold.finished.get(key);
    if (live !== undefined && standsAt(house, live, seq)) {
      if (!atOnce && mayEndSoon(house, live)) return false;
      left.push(liveForm(house, live));
    } else if (finished?.entrySeq === seq && !isEntryGarbage(finished, house.retention))
      left.push(finishedForm(house, finished));
  }
  if (left.length > 0) compact(house, log, name, true, seq, left);
  else purgeSingle(house, name, { bundle: name, of: log.name }, seq);
  return true;
}

/** Its entry may be somebody's who pretends to be an engine: what this leader knows is as good, or better. */
export function suspect({ fold: { displaced } }: House, run: LiveRun): void {
  const isSingle = run.log.entries.bundleAt(run.seq) === undefined;
  if (isSingle && run.input !== undefined) displaced.set(run.key, run.seq);
}

/** Its entry does, or another one that took the place of its entry. */
export const standsAt = ({ fold: { displaced } }: House, run: LiveRun, seq: number): boolean =>
  run.seq === seq || (displaced.size > 0 && displaced.get(run.key) === seq);

/** Removes the entry of a key, or its part of a bundle. */
export function purgeEntry(house: House, log: LoggedTask, key: string, seq: number): void {
  const bundle = log.entries.bundleAt(seq);
  if (bundle === undefined) purgeSingle(house, key, { key }, seq);
  else compactBundle(house, log, seq, bundle, true);
}

/** A `compact` command found an unexpected entry; `name` is the key of its run, or the name of its bundle. */
export interface CompactionRefusedEvent {
  readonly type: "compactionRefused";
  readonly task: string;
  readonly name: string;
  readonly expectSeq: number;
}

/** The expected entry is gone: purged, or replaced by one that the fold will bring, or has brought: then that was not this leader's. */
export function compactionRefused(
  house: House,
  { task, name, expectSeq }: { readonly task: string; readonly name: string; readonly expectSeq: number },
): void {
  const { entries } = house.fold.logOf(task);
  const { displaced, live } = house.fold;
  house.retention.compacting.delete(name);
  for (const key of entries.bundleAt(expectSeq)?.keys ?? [name]) {
    if (displaced.get(key) === expectSeq) displaced.delete(key);
    const run = live.get(key);
    if (run !== undefined && run.seq > expectSeq) suspect(house, run);
    const finished = house.fold.finished.get(key);
    if (finished?.entrySeq === expectSeq) setEntry(entries, finished, 0);
  }
}

export function compact(
  house: House,
  { name: task }: LoggedTask,
  name: string,
  isBundle: boolean,
  expectSeq: number,
  runs: readonly CompactedRun[],
): void {
  const { compacting } = house.retention;
  if (compacting.has(name)) return;
  compacting.set(name, expectSeq);
  house.step.commands.push({ type: "compact", task, name, isBundle, expectSeq, runs });
}

export function purgeSingle(
  house: House,
  name: string,
  filter: { readonly key: string } | { readonly bundle: string; readonly of: string },
  seq: number,
): void {
  house.retention.purgingKeys.set(name, seq + 1);
  house.step.commands.push({ type: "purge", filter, keepFrom: seq + 1 });
}

function mayEndSoon(house: House, run: LiveRun): boolean {
  if (placeOf(run) !== "running") return false;
  const startedAt = workerOf(run)?.find(run.origin, run.turn)?.startedAt ?? house.step.now;
  return house.step.now - startedAt < patienceMs;
}

export function liveForm(house: House, run: LiveRun): CompactedRun {
  const { key, priority, createdAt, scheduleTimeoutMs, inbox, metadata, placement, seq } = run;
  const { origin, turn, attempt, lost, readyAt, history } = run;
  const isWaiting = placeOf(run) === "scheduled" || placeOf(run) === "retrying";
  const dueAt = isWaiting ? readyAt : 0;
  const retrying = placeOf(run) === "retrying";
  const wish = run.trail?.cancelWish;
  const parked = run.flow?.parked;
  const known = {
    ...{ asOf: house.fold.position, origin, turn, attempt, lost, dueAt, readyAt, retrying, history },
    ...(wish === undefined ? {} : { cancelling: wish.reason, cancelledSeq: wish.seq, cancelledAt: wish.at }),
    ...(parked === undefined ? {} : { parked }),
  };
  const extra = {
    ...(metadata === undefined ? {} : { metadata }),
    ...(placement === undefined ? {} : { placement }),
    state: known,
  };
  return { key, inputSeq: seq, entry: { form: 1, priority, createdAt, dueAt, scheduleTimeoutMs, inbox, extra } };
}

/** Whether a parent waits for it, or may still do so: then no mark may forget it. */
export const isNeeded = ({ fold }: House, run: FinishedRun): boolean =>
  isChild(run) && fold.families.isWanted(run, fold.live);

/** With the input if only its entry has it; with the result instead if somebody waits for it. */
function finishedForm(house: House, run: FinishedRun): CompactedRun {
  const { key, kind, origin, seq, index, at, createdAt, metadata, why } = run;
  const known = {
    asOf: house.fold.position,
    origin,
    kind,
    seq,
    index,
    at,
    ...(why !== undefined && { why }),
    ...(run.isErased && { erased: true as const }),
  };
  if (isNeeded(house, run)) {
    const resultAt = house.fold.pinned.has(key) ? { entrySeq: run.entrySeq } : { seq, index };
    const extra = { ...(metadata === undefined ? {} : { metadata }), state: { ...known, pinned: true as const } };
    const entry = {
      form: 2 as const,
      createdAt,
      extra,
      priority: 0,
      dueAt: 0,
      scheduleTimeoutMs: undefined,
      inbox: "",
    };
    return { key, inputSeq: 0, entry, resultAt };
  }
  const extra = { ...(metadata === undefined ? {} : { metadata }), state: known };
  const plain = { priority: 0, dueAt: 0, scheduleTimeoutMs: undefined, inbox: "" };
  const inputSeq = run.holdsInput ? run.entrySeq : 0;
  return { key, inputSeq, entry: { form: 2, createdAt, extra, ...plain } };
}
