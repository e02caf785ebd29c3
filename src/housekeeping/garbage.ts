// Garbage: entries of finished runs (rule 5). They are purged by prefix, a task at a time; entries that block much of it are moved to the tail.

import { type Content, keysIn } from "../fold/entry-log.ts";
import { setEntry } from "../fold/finished-run.ts";
import type { LoggedTask } from "../fold/logged-task.ts";
import { heldBy, moveEntry } from "./compaction.ts";
import type { House } from "./house.ts";

const garbagePerBlocker = 10;
const compactionsAtOnce = 1_000;
/** Moving a large input costs as much as moving this many others. */
const largeWeight = 20;

/** How many tasks are checked per millisecond of the scheduler's clock, so that checking takes the same share of time however many there are. */
const sweptPerMs = 50;

/** Purges what is worth a request, and forgets tasks with nothing left. */
export function collectGarbage(house: House): void {
  const { unanswered, fold, step } = house;
  if (step.uptime < house.nextGarbageAt) return;
  house.nextGarbageAt = step.uptime + fold.tasks.size / sweptPerMs;
  const { garbageBatch } = house.options;
  for (const log of fold.tasks.values()) {
    const { entries, liveCount } = log;
    if (unanswered.tasks.has(log)) continue;
    // Tasks with nothing left are forgotten: anybody can create runs under any number of names.
    if (entries.size === 0 && liveCount === 0 && house.forget(log)) fold.tasks.delete(log.name);
    if (entries.garbage < garbageBatch) continue;
    purgeHead(house, log);
    const isBlocked =
      entries.garbage >= garbageBatch && entries.garbage > garbagePerBlocker * (liveCount + entries.kept);
    if (isBlocked && unanswered.compactions.size === 0) moveBlockers(house, log, fold.position, false);
  }
}

/** Purges everything before the oldest entry that must stay. May repeat what an earlier leader has done. */
export function purgeHead(house: House, log: LoggedTask): void {
  const { entries } = log;
  for (let seq = entries.seqs.first(); seq !== undefined; seq = entries.seqs.first()) {
    const content = entries.contents.first()!;
    if (mustStay(house, content, seq)) break;
    entries.shift();
    entries.clearTo = seq + 1;
    for (const key of keysIn(content)) {
      const finished = house.fold.finished.get(key);
      if (finished?.entrySeq === seq) setEntry(entries, finished, 0);
    }
  }
  const { unanswered } = house;
  if (unanswered.tasks.has(log) || entries.clearTo <= entries.purgedTo) return;
  unanswered.tasks.add(log);
  unanswered.askedAt = house.step.uptime;
  house.step.commands.push({ type: "purge", filter: { task: log.name }, keepFrom: entries.clearTo });
}

/**
 * Moves entries before `upTo` that must stay to the tail. Returns how many runs they hold, large ones counted as many.
 *
 * Without `inputsToo` it stops at the first input of a finished run: what is moved counts as young again, and the entries of
 * these runs would be moved again and again before they are old enough to be forgotten, when they go by themselves.
 */
export function moveBlockers(house: House, log: LoggedTask, upTo: number, inputsToo: boolean): number {
  const { seqs, contents } = log.entries;
  let moved = 0;
  let garbage = 0;
  for (let i = 0; i < seqs.size && moved < compactionsAtOnce && garbage <= log.entries.garbage; i++) {
    const seq = seqs.at(i)!;
    const content = contents.at(i)!;
    if (seq >= upTo) break;
    const runs = typeof content === "string" ? 1 : content.keys.length;
    if (!mustStay(house, content, seq)) garbage += runs;
    else if (!inputsToo && holdsInput(house, content)) break;
    else if (!goesWithMark(house, content) && moveEntry(house, log, content, seq, false))
      moved += isLarge(house, content) ? largeWeight : runs;
  }
  if (moved > 0) house.unanswered.askedAt = house.step.uptime;
  return moved;
}

/** Whether the mark that is being prepared forgets the run of an entry anyway: moved, it would count as young again. */
function goesWithMark({ fold, retention }: House, content: Content): boolean {
  const run = typeof content === "string" ? fold.finished.get(content) : undefined;
  return run !== undefined && retention.isForgetting(run.lastOutcome);
}

/** How many entries before `upTo` would have to be moved with a large input. */
export function countLargeBlockers(house: House, { entries }: LoggedTask, upTo: number): number {
  const { seqs, contents } = entries;
  let count = 0;
  for (let i = 0; i < seqs.size && seqs.at(i)! < upTo; i++) {
    const content = contents.at(i)!;
    if (isLarge(house, content) && mustStay(house, content, seqs.at(i)!)) count++;
  }
  return count;
}

function isLarge(house: House, content: Content): boolean {
  if (typeof content !== "string") return false;
  return house.fold.live.get(content)?.isLarge ?? holdsInput(house, content);
}

const holdsInput = ({ fold: { finished } }: House, content: Content): boolean =>
  typeof content === "string" && finished.get(content)?.holdsInput === true;

function mustStay(house: House, content: Content, seq: number): boolean {
  if (typeof content === "string") return heldBy(house, content, seq) !== undefined;
  return content.keys.some((key) => heldBy(house, key, seq) !== undefined);
}
