// Displaced entries. Whoever may store runs may also store an entry over that of a waiting run, without the sequence that the library expects, or
// one that claims to be compacted. The first entry stands: the leader, which has read it, puts the run back (ADR 54).
import { keysIn } from "../fold/entry-log.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { compactFinished, moveEntry } from "./compaction.ts";
import type { House } from "./house.ts";

/** The new entry of this run may come from somebody who pretends to be an engine. What this leader knows is as good or better, so it is stored again. */
export function suspect({ fold: { displaced } }: House, run: LiveRun): void {
  const isSingle = run.log.entries.bundleAt(run.seq) === undefined;
  if (isSingle && run.input !== undefined) displaced.set(run.key, run.seq);
}

/** Asks for the entries of all runs whose place was taken to be written again, each once. */
export function restoreDisplaced(house: House): void {
  const { displaced, live, finished, isWhole } = house.fold;
  if (!isWhole) return; // a run that seems live may have ended, and its id be in use again
  for (const [key, seq] of displaced) {
    const run = live.get(key);
    const ended = finished.get(key);
    if (run !== undefined) restore(house, run, seq);
    else if (ended?.entrySeq === seq) compactFinished(house, ended);
    else displaced.delete(key);
  }
}

function restore(house: House, { key, log, seq: ownSeq }: LiveRun, seq: number): void {
  const bundle = log.entries.bundleAt(seq);
  const name = bundle?.name ?? key;
  const { unanswered, step } = house;
  if (unanswered.compactions.has(name) || unanswered.purges.has(name)) return;
  if (ownSeq !== seq) {
    const message = "an entry was stored over that of a live run, past the library; the run goes on as it was created";
    step.commands.push({ type: "log", level: "error", message, fields: { run: key, seq } });
  }
  dropUnreadable(house, keysIn(bundle ?? key), name, seq);
  moveEntry(house, log, bundle ?? key, seq, true);
}

/** Lets go of runs whose input was only in the entry that is gone. They fail for want of it: nobody but its creator says what a run executes. */
function dropUnreadable(
  { fold: { live, displaced } }: House,
  keys: readonly string[],
  name: string,
  seq: number,
): void {
  for (const key of keys) {
    const run = live.get(key);
    if (run === undefined || displaced.get(key) !== seq || run.input !== undefined) continue;
    const nameBefore = run.log.entries.bundleAt(run.seq)?.name ?? key;
    if (nameBefore === name) displaced.delete(key);
  }
}
