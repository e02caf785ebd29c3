import { assertKnownOptions, namesOf } from "../domain/known-options.ts";
import type { RunFilter } from "../domain/listing.ts";

const fields = namesOf<RunFilter>({ task: true, state: true, metadata: true, ids: true });

/** A misspelt field would match every run. Fails: TypeError */
export const assertFilter = (filter: RunFilter, where: string): void =>
  assertKnownOptions(filter, { options: fields, of: "a filter of runs", where, example: '{ task: "send-email" }' });
