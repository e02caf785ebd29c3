// A compacted run: what its entry says when it is moved to the tail (rule 4 of the fold).
import { isChild } from "../fold/families.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { placeOf } from "../matching/attached.ts";
import type { CompactedRun } from "../matching/commands.ts";
import type { House } from "./house.ts";

export function liveForm({ fold }: House, run: LiveRun): CompactedRun {
  const { key, priority, createdAt, scheduleTimeoutMs, inbox, metadata, placement, seq } = run;
  const { origin, turn, attempt, lost, readyAt, history } = run;
  const place = placeOf(run);
  const retrying = place === "retrying";
  const dueAt = retrying || place === "scheduled" ? readyAt : 0;
  const wish = run.trail?.cancelWish;
  const state = {
    ...{ asOf: fold.position, origin, turn, attempt, lost, dueAt, readyAt, retrying, history },
    ...{ cancelling: wish?.reason, cancelledSeq: wish?.seq, cancelledAt: wish?.at, parked: run.flow?.parked },
  };
  const extra = { metadata, placement, state };
  return { key, inputSeq: seq, entry: { form: 1, priority, createdAt, dueAt, scheduleTimeoutMs, inbox, extra } };
}

/** A finished run in an entry: with its input if only its entry has that, with its result instead if somebody waits for it. */
export function finishedForm(house: House, run: FinishedRun): CompactedRun {
  const { fold } = house;
  const { key, kind, origin, seq, index, at, createdAt, metadata, why, entrySeq } = run;
  const isPinned = isNeeded(house, run);
  const state = {
    ...{ asOf: fold.position, origin, kind, seq, index, at, why },
    ...(run.isErased && { erased: true as const }),
    ...(isPinned && { pinned: true as const }),
  };
  const unused = { priority: 0, dueAt: 0, scheduleTimeoutMs: undefined, inbox: "" };
  const entry = { form: 2 as const, createdAt, ...unused, extra: { metadata, state } };
  if (!isPinned) return { key, inputSeq: run.holdsInput ? entrySeq : 0, entry };
  return { key, inputSeq: 0, entry, resultAt: fold.pinned.has(key) ? { entrySeq } : { seq, index } };
}

/** Whether a parent waits for this child, or may still do so: then no mark may forget it. */
export const isNeeded = ({ fold }: House, run: FinishedRun): boolean =>
  isChild(run) && fold.families.isWanted(run, fold.live);
