// Requests that name many runs are split so that each fits into a message, and their answers are merged.
import { groupsBySize } from "../../collections/groups.ts";
import type { CancelReply, RunFilter, WorkerInfo } from "../../domain/listing.ts";
import { jsonBytes } from "../../wire/bytes.ts";
import type { CancelRuns } from "../../wire/verbs.ts";

/** In groups of at most so many bytes of JSON. */
const groupsOf = (texts: Iterable<string>, mostBytes: number): string[][] =>
  groupsBySize(texts, mostBytes, (text) => jsonBytes(text).length + 1);

/** The filter, or several of them when it names many ids: what matches one of them matches the whole. */
export function filterGroups(filter: RunFilter, mostBytes: number): RunFilter[] {
  if (filter.ids === undefined || filter.ids.length === 0) return [filter];
  return groupsOf(new Set(filter.ids), mostBytes).map((ids) => ({ ...filter, ids }));
}

export function cancelGroups({ runs, filter, ...how }: CancelRuns, mostBytes: number): CancelRuns[] {
  if (runs !== undefined) return groupsOf(runs, mostBytes).map((group) => ({ runs: group, ...how }));
  return filterGroups(filter ?? {}, mostBytes).map((group) => ({ filter: group, ...how }));
}

/** Whatever lists of keys the replies hold. */
export function joinCancelled(replies: readonly CancelReply[]): CancelReply {
  const lists = replies.map(({ next: _, ...reply }) => reply as Record<string, readonly string[]>);
  const names = new Set(["cancelled", "stopping", "unknown", "finished", ...lists.flatMap(Object.keys)]);
  const joined = Array.from(names, (name) => [name, lists.flatMap((list) => list[name] ?? [])]);
  return Object.fromEntries(joined) as unknown as CancelReply;
}

/** A worker with many tasks comes in parts, one after the other. */
export function joinWorkers(parts: readonly WorkerInfo[]): WorkerInfo[] {
  const workers = new Map<string, WorkerInfo>();
  for (const part of parts) {
    const before = workers.get(part.id);
    workers.set(part.id, before === undefined ? part : { ...part, tasks: [...before.tasks, ...part.tasks] });
  }
  return [...workers.values()];
}
