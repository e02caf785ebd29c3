// A bundle entry: many runs of one task, which a client created in one turn of its event loop, or which a compaction has left.
// The head of the entry says what all of them share; their ids and inputs are where a single run has its input.
import { MalformedRecord } from "../domain/errors.ts";
import { isDecodedRunId } from "../domain/run-id.ts";
import { assertFits, draft, mostBytes, Reading } from "./bytes.ts";
import { layout, u32 } from "./layout.ts";
import { decodeRunEntry, encodeRunEntry, plainEntry, type RunEntry, runForm } from "./run-entry.ts";

/** Most runs in one entry: the place of each is part of its origin. */
export const mostBundled = 256;

export interface BundledRun {
  readonly id: string;
  readonly entry: RunEntry;
}

/** Between ids, which are read in one go. No generated id contains a comma. */
const separator = ",";
const what = "bundle entry";
const { place, size: head } = layout(what, [u32, "count", "idsLength"]);

/** A bundle of new runs, which differ in id and input only. */
export function encodeBundle(shared: RunEntry, ids: readonly string[], inputs: readonly Uint8Array[]): Uint8Array {
  return encodeRunEntry({ ...shared, form: runForm.bundle, input: encodeMembers(ids, inputs) });
}

/** What a compaction leaves of a bundle: each run has its own state. */
export function encodeCompactedBundle(runs: readonly BundledRun[]): Uint8Array {
  const ids = runs.map(({ id }) => id);
  const entries = runs.map(({ entry }) => encodeRunEntry(entry));
  return encodeRunEntry({
    ...plainEntry,
    createdAt: 0,
    form: runForm.compactedBundle,
    input: encodeMembers(ids, entries),
  });
}

/** The runs of a bundle entry, of either form. Fails: MalformedRecord; inputs are views on the entry's bytes */
export function runsOfBundle(bundle: RunEntry): BundledRun[] {
  const members = new Reading(bundle.input, what);
  const { view } = members;
  const at = members.fixed(head);
  const count = place.count.get(view, at);
  const ids = members.text(place.idsLength.get(view, at)).split(separator);
  const lengthsAt = members.fixed(4 * count);
  assertFits(count > 0 && count <= mostBundled && ids.length === count, what);
  const { priority, createdAt, dueAt, isDated, scheduleTimeoutMs, inbox, extra } = bundle;
  return ids.map((id, i) => {
    if (!isDecodedRunId(id)) throw new MalformedRecord({ what, reason: `run ${i} has no valid id` });
    const input = members.part(view.getUint32(lengthsAt + 4 * i, true));
    if (bundle.form === runForm.compactedBundle) return { id, entry: memberOf(input) };
    const form = runForm.new;
    return { id, entry: { form, priority, createdAt, dueAt, isDated, scheduleTimeoutMs, inbox, extra, input } };
  });
}

/** A run of a compacted bundle. Fails: MalformedRecord if it is a bundle itself */
function memberOf(bytes: Uint8Array): RunEntry {
  const member = decodeRunEntry(bytes);
  assertFits(!isBundle(member), what);
  return member;
}

export const isBundle = ({ form }: Pick<RunEntry, "form">): boolean =>
  form === runForm.bundle || form === runForm.compactedBundle;

function encodeMembers(ids: readonly string[], parts: readonly Uint8Array[]): Uint8Array {
  const names = ids.join(separator);
  let length = head + mostBytes(names) + 4 * parts.length;
  for (const part of parts) length += part.length;
  const record = draft(length);
  const { view } = record;
  const at = record.fixed(head);
  place.count.set(view, at, parts.length);
  place.idsLength.set(view, at, record.text(names));
  const lengthsAt = record.fixed(4 * parts.length);
  for (let i = 0; i < parts.length; i++) view.setUint32(lengthsAt + 4 * i, record.part(parts[i]!), true);
  return record.finish();
}
