// How a filter of runs travels. What an engine does not know of it would narrow nothing, and the request would be about far more runs.
import { MalformedRecord } from "../domain/errors.ts";
import type { RunFilter } from "../domain/listing.ts";
import { jsonOf, utf8 } from "./bytes.ts";
import { isRecord, isText } from "./ranges.ts";

/** Those that every engine knows. */
const firstFields: ReadonlySet<string> = new Set(["task", "state", "metadata", "ids"] satisfies (keyof RunFilter)[]);

/** With a field that older engines would leave out, the filter is text: that they refuse. */
export function sentFilter<T extends { readonly filter?: RunFilter }>(
  request: T,
): T | (Omit<T, "filter"> & { filter: string }) {
  const { filter } = request;
  const isOfOld = Object.entries(filter ?? {}).every(([field, value]) => firstFields.has(field) || value === undefined);
  return isOfOld ? request : { ...request, filter: JSON.stringify(filter) };
}

/** Why an engine refused it, where the reason is that it does not know the filter. */
export const isUnknownFilter = (message: string): boolean => /Expected object\s+at \["filter"\]/.test(message);

/** The request with its filter as it was before it was sent. Fails: MalformedRecord, also for fields that are not `known` */
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
