// A filter of runs: which fields it may have, and how it is split where it names more than fits into a message.
import { groupsBySize } from "../../collections/groups.ts";
import { assertKnownOptions, namesOf } from "../../domain/known-options.ts";
import type { RunFilter } from "../../domain/listing.ts";
import { jsonBytes } from "../../wire/bytes.ts";

const fields = namesOf<RunFilter>({
  task: true,
  state: true,
  metadata: true,
  ids: true,
  reason: true,
  waitingFor: true,
});

/** Checks a filter: a misspelt field would match every run, and an empty reason every run that has one. Fails: TypeError */
export function assertFilter(filter: RunFilter, where: string): void {
  assertKnownOptions(filter, { options: fields, of: "a filter of runs", where, example: '{ task: "send-email" }' });
  if (filter.reason === "")
    throw new TypeError(`${where}: reason must not be empty, for example { reason: "schedule timeout" }`);
}

/** Refuses a filter that matches every run: nobody means that. Fails: TypeError */
export function assertNotEmpty(filter: RunFilter, otherwise: string): void {
  if (Object.values(filter).every((part) => part === undefined))
    throw new TypeError(`${otherwise}; say which, for example { task: "send-email" }`);
}

/** Groups texts, each group with at most `mostBytes` of JSON. */
export const textGroups = (texts: Iterable<string>, mostBytes: number): string[][] =>
  groupsBySize(texts, mostBytes, (text) => jsonBytes(text).length + 1);

/** The filter, or several if it names many ids. A run that matches one of them matches the whole. */
export function filterGroups(filter: RunFilter, mostBytes: number): RunFilter[] {
  if (filter.ids === undefined || filter.ids.length === 0) return [filter];
  return textGroups(new Set(filter.ids), mostBytes).map((ids) => ({ ...filter, ids }));
}
