// Answers of the engine: what has become of the purges and compactions that it was asked for.
import { taskOf } from "../domain/run.ts";
import { setEntry } from "../fold/finished-run.ts";
import { dropUnclaimed } from "../fold/flow.ts";
import type { PurgeFilter } from "../matching/commands.ts";
import { suspect } from "./displaced.ts";
import type { House } from "./house.ts";

/** The retention mark that this leader appended is folded. */
export function marked({ retention }: House, upTo: number): void {
  if (retention.phase === "marking" && retention.upTo === upTo) retention.phase = "settling";
}

/** The engine has purged what it was asked to. */
export function purged(house: House, filter: PurgeFilter, keepFrom: number): void {
  const { unanswered, fold, retention } = house;
  if (filter === "outcomes") {
    retention.purgedTo = Math.max(retention.purgedTo, keepFrom - 1);
    if (retention.phase === "purging" && keepFrom > retention.upTo) retention.phase = "idle";
  } else if ("task" in filter) {
    const log = fold.logOf(filter.task);
    unanswered.tasks.delete(log);
    log.entries.purgedTo = Math.max(log.entries.purgedTo, keepFrom);
  } else if ("signalsOf" in filter) dropUnclaimed(fold, filter.signalsOf, keepFrom);
  else if ("key" in filter) entryPurged(house, taskOf(filter.key), filter.key, keepFrom);
  else entryPurged(house, filter.of, filter.bundle, keepFrom);
}

function entryPurged({ unanswered, fold }: House, task: string, name: string, keepFrom: number): void {
  const { entries } = fold.logOf(task);
  unanswered.purges.delete(name);
  for (const key of entries.bundleAt(keepFrom - 1)?.keys ?? [name]) {
    const finished = fold.finished.get(key);
    if (finished !== undefined && finished.entrySeq < keepFrom) setEntry(entries, finished, 0);
    if ((fold.leftovers.get(key) ?? keepFrom) < keepFrom) fold.leftovers.delete(key);
  }
}

/** A `compact` command has met another entry than expected. `name`: the key of the run, or the name of the bundle. */
export interface CompactionRefusedEvent {
  readonly type: "compactionRefused";
  readonly task: string;
  readonly name: string;
  readonly expectSeq: number;
}

/** The expected entry is gone: it was purged, or replaced by one that the fold will bring. If the fold has brought that already, it is not this leader's. */
export function compactionRefused(house: House, { task, name, expectSeq }: CompactionRefusedEvent): void {
  const { entries } = house.fold.logOf(task);
  const { displaced, finished, live } = house.fold;
  house.unanswered.compactions.delete(name);
  for (const key of entries.bundleAt(expectSeq)?.keys ?? [name]) {
    if (displaced.get(key) === expectSeq) displaced.delete(key);
    const run = live.get(key);
    if (run !== undefined && run.seq > expectSeq) suspect(house, run);
    const ended = finished.get(key);
    if (ended?.entrySeq === expectSeq) setEntry(entries, ended, 0);
  }
}
