// Queries of clients. A query changes nothing, reads nothing large, and its answer fits into a message: for inputs and outputs it only
// says where the log has them.

import type { RunFilter } from "../domain/listing.ts";
import { resultPlaceOf } from "../fold/finished-run.ts";
import type { Leader } from "../leader/leader.ts";
import { cursorOf, placeAtCursor } from "../wire/list-cursor.ts";
import type {
  AskResults,
  AskResultsReply,
  CronList,
  EndedRun,
  FoundRun,
  ListRuns,
  QueueList,
  RunListPage,
  WorkerList,
} from "../wire/verbs.ts";
import { describeQueues, describeRun, describeWorkers, listRuns, liveRuns, type RunDescription } from "./describe.ts";
import { fitting, pageAfter, pageOf, partsOf } from "./pages.ts";

/** Most rows looked up at once: they fit only if each is tiny. */
const mostRows = 2_000;
/** Most runs cancelled at once. */
const mostKeys = 2_000;

export class Queries {
  readonly #leader: Leader;

  constructor(leader: Leader) {
    this.#leader = leader;
  }

  /** Room for what a page holds. Units: bytes */
  get #room(): number {
    return Math.min(this.#leader.link.maxPayload / 2, 512 * 1_024);
  }

  get(key: string): FoundRun {
    const found = describeRun(this.#leader.state, key);
    if (found === undefined) return { run: null };
    return { run: fitting(found.info, this.#leader.link.maxPayload - 1_024), at: found.at };
  }

  /** The newest runs that match, without inputs and outputs. */
  list({ filter, limit, before, cursor, places }: ListRuns): RunListPage {
    const after = cursor === undefined ? undefined : placeAtCursor(cursor);
    const { runs, total, isCut } = listRuns(this.#leader.state, filter, Math.min(limit, mostRows), before, after);
    const page = pageOf(
      runs.map(({ info }) => fitting(info, this.#room)),
      this.#room,
    );
    const last = page.items.at(-1);
    const isMore = page.isCut || isCut;
    return {
      runs: page.items,
      total,
      ...(isMore && last !== undefined && { cursor: cursorOf(last) }),
      ...(places === true && { places: placesOf(runs.slice(0, page.items.length)) }),
    };
  }

  workers(after: string | undefined): WorkerList {
    const parts = describeWorkers(this.#leader.state).flatMap(partsOf);
    const { items, next } = pageAfter(parts, ({ name }) => name, after, this.#room);
    const { engine, state } = this.#leader;
    return { workers: items.map(({ part }) => part), epoch: state.epoch, engine, ...(next !== undefined && { next }) };
  }

  queues(after: string | undefined): QueueList {
    const { items, next } = pageAfter(describeQueues(this.#leader.state), ({ task }) => task, after, this.#room);
    return { queues: items, ...(next !== undefined && { next }) };
  }

  crons(after: string | undefined): CronList {
    const crons = this.#leader.state.leadership?.crons.list() ?? [];
    const { items, next } = pageAfter(crons, ({ name }) => name, after, this.#room);
    return { crons: items, ...(next !== undefined && { next }) };
  }

  /** The next live runs that match, oldest first, of those that the log held when the first of them were asked for. */
  matching(
    filter: RunFilter,
    cursor: string | undefined,
  ): { readonly keys: readonly string[]; readonly next?: string } {
    const { position, state } = this.#leader;
    const { createdAt: upTo, origin: after } =
      cursor === undefined ? { createdAt: position + 1, origin: 0 } : placeAtCursor(cursor);
    const { runs, isCut } = liveRuns(state, filter, mostKeys, after, upTo);
    const page = pageOf(
      runs.map((run) => run.key),
      this.#room,
    );
    const last = runs[page.items.length - 1];
    const isMore = page.isCut || isCut;
    return {
      keys: page.items,
      ...(isMore && last !== undefined && { next: cursorOf({ createdAt: upTo, origin: last.origin }) }),
    };
  }

  /** Registers a waiter for the live ones; the others have ended or are not known. */
  results({ keys, inbox }: AskResults): AskResultsReply {
    const unknown: string[] = [];
    const ended: EndedRun[] = [];
    const { live, finished, fold } = this.#leader.state;
    for (const key of keys) {
      const run = finished.get(key);
      if (run !== undefined) ended.push({ key, ...resultPlaceOf(fold, run) });
      else if (live.has(key)) this.#leader.handle({ type: "waiter", key, inbox });
      else unknown.push(key);
    }
    return { unknown, ended };
  }
}

/** A place is smaller than its run: a page with places fits into a message as well. */
const placesOf = (runs: readonly RunDescription[]): NonNullable<RunListPage["places"]> =>
  runs.flatMap(({ info: { state }, at }, row) =>
    (state === "failed" || state === "cancelled") && "outcomeSeq" in at
      ? [{ row, seq: at.outcomeSeq, index: at.index }]
      : [],
  );
