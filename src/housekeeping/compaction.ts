// Compaction: what must stay of an entry, which holds one run or a bundle of many, is moved to the tail with the state of its runs. An entry of
// which nothing must stay is purged.
import { type Content, keysIn } from "../fold/entry-log.ts";
import type { FinishedRun } from "../fold/finished-run.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import { placeOf } from "../matching/attached.ts";
import type { CompactedRun } from "../matching/commands.ts";
import { workerOf } from "../matching/workers.ts";
import { finishedForm, liveForm } from "./compacted-run.ts";
import type { House } from "./house.ts";

/** A run that has been executing for longer is compacted all the same: otherwise it would block the purge of everything behind it. */
const patienceMs = 60_000;

/** Moves the entry of a live run to the tail, with its current state. Returns false if that has to wait, which it never does with `atOnce`. */
export function compactLive(house: House, { key, log, seq }: LiveRun, atOnce = false): boolean {
  const bundle = log.entries.bundleAt(seq);
  // A bundle at once: some of its runs may be executing at any time until it is drained.
  return moveEntry(house, log, bundle ?? key, seq, atOnce || bundle !== undefined);
}

/** Writes the state of a finished run as an entry at the tail, so that its outcomes may go. */
export function compactFinished(house: House, run: FinishedRun): void {
  const log = house.fold.logOf(run.task);
  const bundle = log.entries.bundleAt(run.entrySeq);
  if (bundle !== undefined) moveEntry(house, log, bundle, run.entrySeq, true);
  else replaceEntry(house, log, run.key, run.entrySeq, [finishedForm(house, run)]);
}

/** Removes the entry of a key, or its part of a bundle. */
export function purgeEntry(house: House, log: LoggedTask, key: string, seq: number): void {
  const bundle = log.entries.bundleAt(seq);
  if (bundle !== undefined) moveEntry(house, log, bundle, seq, true);
  else replaceEntry(house, log, key, seq, []);
}

/** Replaces an entry by what must stay of it. Returns false if it has to wait for attempts that may end soon; `atOnce` waits for none. */
export function moveEntry(house: House, log: LoggedTask, content: Content, seq: number, atOnce: boolean): boolean {
  const left: CompactedRun[] = [];
  for (const key of keysIn(content)) {
    const run = heldBy(house, key, seq);
    if (run === undefined) continue;
    if ("kind" in run) left.push(finishedForm(house, run));
    else if (atOnce || !mayEndSoon(house, run)) left.push(liveForm(house, run));
    else return false;
  }
  replaceEntry(house, log, content, seq, left);
  return true;
}

/** Asks for an entry to be replaced. The expected sequence keeps two engines from both doing it. */
function replaceEntry(
  { unanswered, step }: House,
  log: LoggedTask,
  content: Content,
  seq: number,
  runs: readonly CompactedRun[],
): void {
  const isBundle = typeof content !== "string";
  const name = isBundle ? content.name : content;
  if (runs.length === 0) {
    unanswered.purges.add(name);
    const filter = isBundle ? { bundle: name, of: log.name } : { key: name };
    step.commands.push({ type: "purge", filter, keepFrom: seq + 1 });
  } else if (!unanswered.compactions.has(name)) {
    unanswered.compactions.add(name);
    step.commands.push({ type: "compact", task: log.name, name, isBundle, expectSeq: seq, runs });
  }
}

/** The run of a key that the entry at `seq` must stay for. */
export function heldBy({ fold, retention }: House, key: string, seq: number): LiveRun | FinishedRun | undefined {
  const { live, finished: ended, displaced } = fold;
  const run = live.get(key);
  // Another entry may have been stored over its own.
  if (run !== undefined) return run.seq === seq || (displaced.size > 0 && displaced.get(key) === seq) ? run : undefined;
  const finished = ended.get(key);
  return finished?.entrySeq === seq && !retention.isGarbage(finished) ? finished : undefined;
}

function mayEndSoon({ step }: House, run: LiveRun): boolean {
  if (placeOf(run) !== "running") return false;
  const startedAt = workerOf(run)?.find(run.origin, run.turn)?.startedAt ?? step.now;
  return step.now - startedAt < patienceMs;
}
