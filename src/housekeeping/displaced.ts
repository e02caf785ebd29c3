// Who may store runs may also store an entry over that of a waiting run, without the sequence that the library expects; or one that says it
// was compacted. The first entry stands: the leader, which has read it, puts the run back (ADR 54).
import { keysIn } from "../fold/entry-log.ts";
import type { LiveRun } from "../fold/live-run.ts";
import { compact, compactBundle, compactFinished, liveForm, purgeSingle } from "./compaction.ts";
import type { House } from "./house.ts";

/** Asks for the entries of all runs whose place was taken to be written again, each once. */
export function restoreDisplaced(house: House): void {
  const { displaced, live, finished, isWhole } = house.fold;
  if (!isWhole) return; // it may have ended, and its id be in use again
  for (const [key, seq] of displaced) {
    const run = live.get(key);
    const ended = finished.get(key);
    if (run !== undefined) restore(house, run, seq);
    else if (ended?.entrySeq === seq) compactFinished(house, ended);
    else displaced.delete(key);
  }
}

function restore(house: House, run: LiveRun, seq: number): void {
  const { key, log } = run;
  const bundle = log.entries.bundleAt(seq);
  const name = bundle?.name ?? key;
  const { compacting, purgingKeys } = house.retention;
  if (compacting.has(name) || purgingKeys.has(name)) return;
  if (run.seq !== seq) tell(house, key, seq);
  dropUnreadable(house, keysIn(bundle ?? key), name, seq);
  if (bundle !== undefined) compactBundle(house, log, seq, bundle, true);
  else if (house.fold.displaced.has(key)) compact(house, log, key, false, seq, [liveForm(house, run)]);
  else purgeSingle(house, key, { key }, seq);
}

/** Their input was in the entry that is gone, and not in memory. They fail for want of it: nobody but its creator says what a run executes. */
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

function tell(house: House, run: string, seq: number): void {
  const message = "an entry was stored over that of a live run, past the library; the run goes on as it was created";
  house.step.commands.push({ type: "log", level: "error", message, fields: { run, seq } });
}
