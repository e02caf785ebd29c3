// Rule 5: entries of finished runs are purged by prefix, a task at a time; what blocks much of it is moved to the tail.

import { type Content, keysIn } from "../fold/entry-log.ts";
import { isEntryGarbage, setEntry } from "../fold/finished-run.ts";
import type { SchedulerState } from "../matching/state.ts";
import type { TaskQueue } from "../matching/task-queue.ts";
import { compactBundle, compactFinished, compactLive } from "./compaction.ts";

const garbagePerBlocker = 10;
const compactionsAtOnce = 1_000;
/** Moving a large input takes as long as moving so many others. */
const largeWeight = 20;

/** Queues that are looked at in a millisecond of the scheduler's clock: looking takes the same share of the time, however many there are. */
const sweptPerMs = 50;

/** Purges what is worth a request, and forgets queues of which nothing is left. */
export function collectGarbage(state: SchedulerState): void {
  const { retention, uptime } = state;
  if (uptime < retention.nextSweepAt) return;
  retention.nextSweepAt = uptime + state.queues.size / sweptPerMs;
  for (const queue of state.queues.values()) {
    const { entries } = queue;
    if (isVoid(queue) && !state.queueIndex.purging.has(queue)) state.queues.delete(queue.name);
    if (entries.garbage < state.options.garbageBatch || state.queueIndex.purging.has(queue)) continue;
    purgeHead(state, queue);
    const isBlocked =
      entries.garbage >= state.options.garbageBatch &&
      entries.garbage > garbagePerBlocker * (queue.liveCount + entries.kept);
    if (isBlocked && state.retention.compacting.size === 0) moveBlockers(state, queue, state.position, false);
  }
}

/** No worker ever registered the task, and the last of its runs has left the log. Anybody can create runs under any number of names. */
function isVoid({ definition, workers, entries, liveCount }: TaskQueue): boolean {
  return definition === undefined && workers.size === 0 && entries.size === 0 && liveCount === 0;
}

/** Purges everything before the oldest entry that must stay. Repeats what an engine before may have done. */
export function purgeHead(state: SchedulerState, queue: TaskQueue): void {
  const { entries } = queue;
  for (let seq = entries.seqs.first(); seq !== undefined; seq = entries.seqs.first()) {
    const content = entries.contents.first()!;
    if (mustStay(state, content, seq)) break;
    entries.shift();
    entries.clearTo = seq + 1;
    for (const key of keysIn(content)) {
      const finished = state.finished.get(key);
      if (finished?.entrySeq === seq) setEntry(entries, finished, 0);
    }
  }
  const { purging } = state.queueIndex;
  if (purging.has(queue) || entries.clearTo <= entries.purgedTo) return;
  purging.add(queue);
  state.retention.askedAt = state.uptime;
  state.commands.push({ type: "purge", filter: { task: queue.name }, keepFrom: entries.clearTo });
}

/**
 * Moves entries that must stay, and lie before `upTo`, to the tail. Returns how many runs they hold, large ones counted as many.
 *
 * Without `inputsToo` it goes no further than the first input of a finished run: what is moved counts as young again, and the entries of
 * these runs would be moved again and again before they are old enough to be forgotten. Then they go by themselves.
 */
export function moveBlockers(state: SchedulerState, queue: TaskQueue, upTo: number, inputsToo: boolean): number {
  const { seqs, contents } = queue.entries;
  let moved = 0;
  let garbage = 0;
  for (let i = 0; i < seqs.size && moved < compactionsAtOnce && garbage <= queue.entries.garbage; i++) {
    const seq = seqs.at(i)!;
    const content = contents.at(i)!;
    if (seq >= upTo) break;
    const runs = typeof content === "string" ? 1 : content.keys.length;
    if (!mustStay(state, content, seq)) garbage += runs;
    else if (!inputsToo && holdsInput(state, content)) break;
    else if (moveBlocker(state, queue, content, seq)) moved += isLarge(state, content) ? largeWeight : runs;
  }
  if (moved > 0) state.retention.askedAt = state.uptime;
  return moved;
}

function moveBlocker(state: SchedulerState, queue: TaskQueue, content: Content, seq: number): boolean {
  if (typeof content !== "string") return compactBundle(state, queue, seq, content, false);
  const live = state.live.get(content);
  if (live !== undefined) return compactLive(state, live);
  const finished = state.finished.get(content)!;
  // It goes with the mark that is about to be written; moved, it would count as young again.
  if (state.retention.isForgetting(finished.lastOutcome)) return false;
  compactFinished(state, finished);
  return true;
}

/** How many entries before `upTo` would have to be moved with a large input. */
export function countLargeBlockers(state: SchedulerState, { entries }: TaskQueue, upTo: number): number {
  const { seqs, contents } = entries;
  let count = 0;
  for (let i = 0; i < seqs.size && seqs.at(i)! < upTo; i++) {
    const content = contents.at(i)!;
    if (isLarge(state, content) && mustStay(state, content, seqs.at(i)!)) count++;
  }
  return count;
}

function isLarge(state: SchedulerState, content: Content): boolean {
  if (typeof content !== "string") return false;
  return state.live.get(content)?.isLarge ?? holdsInput(state, content);
}

const holdsInput = ({ finished }: SchedulerState, content: Content): boolean =>
  typeof content === "string" && finished.get(content)?.holdsInput === true;

function mustStay(state: SchedulerState, content: Content, seq: number): boolean {
  if (typeof content === "string") return isHeld(state, content, seq);
  return content.keys.some((key) => isHeld(state, key, seq));
}

function isHeld(state: SchedulerState, key: string, seq: number): boolean {
  const live = state.live.get(key);
  if (live !== undefined) return live.seq === seq;
  const finished = state.finished.get(key);
  return finished?.entrySeq === seq && !isEntryGarbage(finished, state.retention);
}

/** Keeps the list short on an engine that purges nothing itself: at most half of it may be positions that are no longer true. */
export function prunePositions(state: SchedulerState, queue: TaskQueue): void {
  const { entries } = queue;
  entries.pruneAt = 2 * entries.size + 4_096;
  if (entries.size <= 2 * (queue.liveCount + entries.garbage + entries.kept) + 4_096) return;
  entries.prune((seq, key) => state.live.get(key)?.seq === seq || state.finished.get(key)?.entrySeq === seq);
}
