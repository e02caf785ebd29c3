// How a filter of runs is sent. A field that an engine does not know would narrow nothing, and the request would be about far more runs.
import { MalformedRecord } from "../domain/errors.ts";
import type { RunFilter } from "../domain/listing.ts";
import { jsonOf, utf8 } from "./bytes.ts";
import { isRecord, isText } from "./ranges.ts";

/** The fields that every engine knows. */
const firstFields: ReadonlySet<string> = new Set(["task", "state", "metadata", "ids"] satisfies (keyof RunFilter)[]);

/** The request as it is sent. A filter with a field that older engines would ignore is sent as text, which they refuse. */
export function sentFilter<T extends { readonly filter?: RunFilter }>(
  request: T,
): T | (Omit<T, "filter"> & { filter: string }) {
  const { filter } = request;
  const isOfOld = Object.entries(filter ?? {}).every(([field, value]) => firstFields.has(field) || value === undefined);
  return isOfOld ? request : { ...request, filter: JSON.stringify(filter) };
}

/** Whether an engine refused a request because it does not know a field of its filter. */
export const isUnknownFilter = (message: string): boolean => /Expected object\s+at \["filter"\]/.test(message);

/** Turns a received request back into what it was before it was sent. Fails: MalformedRecord, also for fields that are not `known` */
export function readFilter(what: string, known: Readonly<Record<string, unknown>>, request: unknown): unknown {
  if (!isRecord(request) || request["filter"] === undefined) return request;
  const sent = request["filter"];
  const filter = isText(sent) ? jsonOf(utf8(sent)) : sent;
  const unknown = isRecord(filter) ? Object.keys(filter).filter((field) => !Object.hasOwn(known, field)) : [];
  if (unknown.length > 0) {
    const reason = `this engine does not know "${unknown[0]}" in a filter of runs: upgrade the engine (docs/production/upgrade.md)`;
    throw new MalformedRecord({ what, reason });
  }
  return { ...request, filter };
}
