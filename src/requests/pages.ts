// Long answers come in pages, each of which fits into a message. A cursor says where the next one begins, by
// names and places in the log, so that any engine can continue where another stopped.

import type { WorkerInfo } from "../domain/listing.ts";
import { cutText } from "../domain/printable.ts";
import type { RunInfo } from "../domain/run.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { leanAttempts } from "../wire/lean-story.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** There was no room for the others. */
  readonly isCut: boolean;
}

/** As many as fit, but at least one. Units: bytes */
export function pageOf<T>(items: Iterable<T>, room: number): Page<T> {
  const page: T[] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += jsonBytes(item).length + 1;
    if (bytes > room && page.length > 0) return { items: page, isCut: true };
    page.push(item);
  }
  return { items: page, isCut: false };
}

/** The page after the item with this name; names are sorted and unique. */
export function pageAfter<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  after: string | undefined,
  room: number,
): { readonly items: readonly T[]; readonly next?: string } {
  const named = items.map((item) => ({ name: nameOf(item), item })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const left = after === undefined ? named : named.filter(({ name }) => name > after);
  const page = pageOf(
    left.map(({ item }) => item),
    room,
  );
  return { items: page.items, ...(page.isCut && { next: left[page.items.length - 1]!.name }) };
}

const tasksInAPart = 500;

/** A worker may have more tasks than fit into a message: it is listed in parts. */
export function partsOf(worker: WorkerInfo): { readonly name: string; readonly part: WorkerInfo }[] {
  const parts: { name: string; part: WorkerInfo }[] = [];
  for (let from = 0; from === 0 || from < worker.tasks.length; from += tasksInAPart) {
    const tasks = worker.tasks.slice(from, from + tasksInAPart);
    parts.push({ name: `${worker.id} ${String(from).padStart(8, "0")}`, part: { ...worker, tasks } });
  }
  return parts;
}

/** For a run that has failed a thousand times: as many of its latest attempts as fit. Units: bytes */
export function fitting(run: RunInfo, room: number): RunInfo {
  if (jsonBytes(run).length <= room) return run;
  for (const lean of leanAttempts) {
    const leaner = { ...run, attempts: lean(run.attempts) };
    if (jsonBytes(leaner).length <= room) return leaner;
  }
  return { ...run, attempts: [], metadata: briefly(run.metadata) };
}

/** For metadata that no client would store: the first part. */
function briefly(metadata: RunInfo["metadata"]): RunInfo["metadata"] {
  const first = Object.entries(metadata).slice(0, 100);
  return Object.fromEntries(first.map(([name, value]) => [name.slice(0, 200), cutText(value, 200)]));
}
