// Lists of any length, put together from pages that fit into a message.
import { assertKnownOptions, namesOf } from "../../domain/known-options.ts";
import type { RunFilter, RunList } from "../../domain/listing.ts";
import { assertWhole } from "../../domain/option-values.ts";
import { keyOf, type RunInfo } from "../../domain/run.ts";
import { assertTime } from "../../domain/time.ts";
import type { StoredEntries } from "../../nats/stored-entries.ts";
import { cursorOf, isNewer } from "../../wire/list-cursor.ts";
import type { FinalDetail } from "../../wire/story.ts";
import type { ListRuns, RunListPage } from "../../wire/verbs.ts";
import type { EngineRequests } from "../asking/engine-requests.ts";
import { deadlineOf } from "../asking/patience.ts";
import { filterGroups } from "../asking/run-filter.ts";
import type { ListOptions } from "./list-options.ts";

const known = namesOf<ListOptions>({ limit: true, before: true, cursor: true, errors: true, timeout: true });

export interface ListParts {
  readonly requests: Pick<EngineRequests, "ask">;
  readonly entries: Pick<StoredEntries, "outcomesAt">;
}

/** The largest part of a filter with many ids that is sent in one request. Units: bytes */
const mostFilterBytes = 64 * 1_024;

export async function readList(parts: ListParts, filter: RunFilter, options: ListOptions): Promise<RunList> {
  assertKnownOptions(options, { options: known, of: "list" });
  const { limit = 100 } = options;
  assertWhole(limit, "list: limit", { from: 0, example: "{ limit: 100 }" });
  const deadline = deadlineOf({ timeout: options.timeout });
  const lists: RunList[] = [];
  for (const group of filterGroups(filter, mostFilterBytes))
    lists.push(await listGroup(parts, firstPage(group, limit, options), deadline));
  return lists.length === 1 ? lists[0]! : joined(lists, limit);
}

const firstPage = (filter: RunFilter, limit: number, { before, cursor, errors }: ListOptions): ListRuns => ({
  ...{ filter, limit },
  ...(before !== undefined && { before: assertTime(Number(before), before, "list: before") }),
  ...(cursor !== undefined && { cursor }),
  ...(errors === true && { places: true }),
});

async function listGroup({ requests, entries }: ListParts, first: ListRuns, deadline: number): Promise<RunList> {
  const runs: RunInfo[] = [];
  for (let request = first, total: number | undefined; ; ) {
    const page = await requests.ask("list", request, deadline);
    for (const run of await withErrors(page, entries)) runs.push(run);
    total ??= page.total;
    const { cursor } = page;
    if (cursor === undefined) return { runs, total };
    if (runs.length >= first.limit) return { runs, total, cursor };
    request = { ...first, limit: first.limit - runs.length, cursor };
  }
}

/** The runs of a page, each with its error or reason if that is still in the log. */
async function withErrors(
  { runs, places = [] }: RunListPage,
  entries: ListParts["entries"],
): Promise<readonly RunInfo[]> {
  if (places.length === 0) return runs;
  const told = [...runs];
  const tell = async ({ row, seq, index }: (typeof places)[number]) => {
    const run = runs[row]!;
    const outcome = (await entries.outcomesAt(seq))[index];
    if (outcome?.key !== keyOf(run.task, run.id)) return; // forgotten, or moved, since the engine answered
    const { error, reason } = outcome.detail as FinalDetail;
    told[row] = { ...run, ...(error && { error }), ...(reason !== undefined && { reason }) };
  };
  await Promise.all(places.map(tell));
  return told;
}

/** The lists of several filters as one. No run matches more than one of them. */
function joined(lists: readonly RunList[], limit: number): RunList {
  const all = lists.flatMap(({ runs }) => runs).sort((a, b) => (isNewer(a, b) ? -1 : 1));
  const runs = all.slice(0, limit);
  const last = runs.at(-1);
  const isMore = all.length > limit || lists.some(({ cursor }) => cursor !== undefined);
  return {
    runs,
    total: lists.reduce((sum, { total }) => sum + total, 0),
    ...(isMore && last !== undefined && { cursor: cursorOf(last) }),
  };
}
