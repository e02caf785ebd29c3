// Queries of clients. A query changes nothing and reads nothing from the log, and its answer fits into a message: for inputs and outputs,
// it says where they are in the log.
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
import { fitting, type Page, pageAfter, pageOf, partsOf } from "./pages.ts";

/** Most rows of a page: so many fit only if each is tiny. */
const mostRows = 2_000;
/** Most runs that one part of a cancel by filter names. */
const mostKeys = 2_000;

/** How large the items of a page may be together. Units: bytes */
const roomOf = ({ link }: Leader): number => Math.min(link.maxPayload / 2, 512 * 1_024);

export function findRun({ state, link }: Leader, key: string): FoundRun {
  const found = describeRun(state, key);
  return found === undefined ? { run: null } : { run: fitting(found.info, link.maxPayload - 1_024), at: found.at };
}

/** The newest runs that match, without inputs and outputs. */
export function pageOfRuns(leader: Leader, { filter, limit, before, cursor, places }: ListRuns): RunListPage {
  const after = cursor === undefined ? undefined : placeAtCursor(cursor);
  const { runs, total, isCut } = listRuns(leader.state, filter, Math.min(limit, mostRows), before, after);
  const room = roomOf(leader);
  const rows = runs.map(({ info }) => fitting(info, room));
  const { items, next } = pageOf(rows, room, (row) => cursorOf(rows[row]!), isCut);
  return {
    runs: items,
    total,
    ...(next !== undefined && { cursor: next }),
    ...(places === true && { places: placesOf(runs.slice(0, items.length)) }),
  };
}

export function pageOfWorkers(leader: Leader, after: string | undefined): WorkerList {
  const { state, engine } = leader;
  const parts = describeWorkers(state).flatMap(partsOf);
  const { items, ...next } = pageAfter(parts, ({ name }) => name, after, roomOf(leader));
  return { workers: items.map(({ part }) => part), epoch: state.epoch, engine, ...next };
}

export function pageOfQueues(leader: Leader, after: string | undefined): QueueList {
  const { items, ...next } = pageAfter(describeQueues(leader.state), ({ task }) => task, after, roomOf(leader));
  return { queues: items, ...next };
}

export function pageOfCrons(leader: Leader, after: string | undefined): CronList {
  const crons = leader.state.leadership?.crons.list() ?? [];
  const { items, ...next } = pageAfter(crons, ({ name }) => name, after, roomOf(leader));
  return { crons: items, ...next };
}

/** The keys of the next live runs that match, oldest first. Runs that were created after the first request are left out. */
export function matchingKeys(leader: Leader, filter: RunFilter, cursor: string | undefined): Page<string> {
  const begin = { createdAt: leader.progress.position + 1, origin: 0 };
  const { createdAt: upTo, origin: after } = cursor === undefined ? begin : placeAtCursor(cursor);
  const { runs, isCut } = liveRuns(leader.state, filter, mostKeys, after, upTo);
  const cursorAt = (index: number) => cursorOf({ createdAt: upTo, origin: runs[index]!.origin });
  return pageOf(
    runs.map(({ key }) => key),
    roomOf(leader),
    cursorAt,
    isCut,
  );
}

/** Notes a waiter for each live run. The answer names the runs that have ended, with their places, and those that are unknown. */
export function askForResults(leader: Leader, { keys, inbox }: AskResults): AskResultsReply {
  const unknown: string[] = [];
  const ended: EndedRun[] = [];
  const { live, finished, fold } = leader.state;
  for (const key of keys) {
    const run = finished.get(key);
    if (run !== undefined) ended.push({ key, ...resultPlaceOf(fold, run) });
    else if (live.has(key)) leader.handle({ type: "waiter", key, inbox });
    else unknown.push(key);
  }
  return { unknown, ended };
}

/** Where the ends of failed and cancelled runs are. A place is smaller than its row, so a page with places fits into a message as well. */
const placesOf = (runs: readonly RunDescription[]): NonNullable<RunListPage["places"]> =>
  runs.flatMap(({ info: { state }, at }, row) =>
    (state === "failed" || state === "cancelled") && "outcomeSeq" in at
      ? [{ row, seq: at.outcomeSeq, index: at.index }]
      : [],
  );
