// Pages of long answers: each fits into a message. A cursor says where the next page begins. It has names and places in the log, so that
// any engine can continue where another one stopped.
import type { WorkerInfo } from "../domain/listing.ts";
import { cutText } from "../domain/printable.ts";
import type { RunInfo } from "../domain/run.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { leanAttempts } from "../wire/lean-story.ts";

/** `next`: the cursor of the page that follows; absent on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/**
 * A page of as many items as fit, but at least one. `cursorAt`: the cursor of the page that follows the item with this index. `isMore`: more
 * items exist than were given. Units: `room` bytes
 */
export function pageOf<T>(
  items: readonly T[],
  room: number,
  cursorAt: (index: number) => string,
  isMore = false,
): Page<T> {
  let end = 0;
  for (let bytes = 0; end < items.length; end++) {
    bytes += jsonBytes(items[end]).length + 1;
    if (bytes > room && end > 0) break;
  }
  const isLast = end === items.length && !isMore;
  return { items: items.slice(0, end), ...(!isLast && end > 0 && { next: cursorAt(end - 1) }) };
}

/** The page after the item with this name; names are unique. */
export function pageAfter<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  after: string | undefined,
  room: number,
): Page<T> {
  const left = after === undefined ? [...items] : items.filter((item) => nameOf(item) > after);
  left.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return pageOf(left, room, (index) => nameOf(left[index]!));
}

const tasksInAPart = 500;

/** A worker may have more tasks than fit into a message, so it is listed in parts. */
export function partsOf(worker: WorkerInfo): { readonly name: string; readonly part: WorkerInfo }[] {
  const parts: { name: string; part: WorkerInfo }[] = [];
  for (let from = 0; from === 0 || from < worker.tasks.length; from += tasksInAPart) {
    const tasks = worker.tasks.slice(from, from + tasksInAPart);
    parts.push({ name: `${worker.id} ${String(from).padStart(8, "0")}`, part: { ...worker, tasks } });
  }
  return parts;
}

/** The run with as many of its latest attempts as fit: it may have failed a thousand times. Units: bytes */
export function fitting(run: RunInfo, room: number): RunInfo {
  if (jsonBytes(run).length <= room) return run;
  for (const lean of leanAttempts) {
    const leaner = { ...run, attempts: lean(run.attempts) };
    if (jsonBytes(leaner).length <= room) return leaner;
  }
  return { ...run, attempts: [], metadata: briefly(run.metadata) };
}

/** The first part of metadata that is larger than any client of ours would store. */
function briefly(metadata: RunInfo["metadata"]): RunInfo["metadata"] {
  const first = Object.entries(metadata).slice(0, 100);
  return Object.fromEntries(first.map(([name, value]) => [name.slice(0, 200), cutText(value, 200)]));
}
