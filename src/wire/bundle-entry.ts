// Many runs of one task in one run entry: created by a client in one turn of its event loop, or left over after compaction.
// The entry's head says what all of them share; ids and inputs are where a single run has its input.
import { MalformedRecord } from "../domain/errors.ts";
import { isDecodedRunId } from "../domain/run-id.ts";
import {
  assertFits,
  draft,
  finish,
  mostBytes,
  noBytes,
  surroundingViewOf,
  textOf,
  writeBytes,
  writeText,
} from "./bytes.ts";
import { layout, u32 } from "./layout.ts";
import { decodeRunEntry, encodeRunEntry, plainEntry, type RunEntry, runForm } from "./run-entry.ts";

/** Most runs in one entry: the place of each is part of its origin. */
export const mostBundled = 256;

export interface BundledRun {
  readonly id: string;
  readonly entry: RunEntry;
}

/** Ids are adjacent, so they are read in one go; no generated id contains a comma. */
const separator = ",";
const { place, size: head } = layout("bundle entry", [u32, "count", "idsLength"]);

/** New runs that differ in id and input only. */
export function encodeBundle(shared: RunEntry, ids: readonly string[], inputs: readonly Uint8Array[]): Uint8Array {
  return encodeRunEntry({ ...shared, form: runForm.bundle, input: encodeMembers(ids, inputs) });
}

/** The rest of a bundle, each run with its own state. */
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
  const bytes = bundle.input;
  assertFits(bytes.length >= head, "bundle entry");
  const view = surroundingViewOf(bytes);
  const at = bytes.byteOffset;
  const count = place.count.get(view, at);
  const lengthsAt = head + place.idsLength.get(view, at);
  let start = lengthsAt + 4 * count;
  assertFits(start <= bytes.length, "bundle entry");
  const ids = textOf(bytes.subarray(head, lengthsAt)).split(separator);
  assertFits(count > 0 && count <= mostBundled && ids.length === count, "bundle entry");
  const { priority, createdAt, dueAt, isDated, scheduleTimeoutMs, inbox, extra } = bundle;
  const runs: BundledRun[] = [];
  for (let i = 0; i < count; i++) {
    if (!isDecodedRunId(ids[i]!))
      throw new MalformedRecord({ what: "bundle entry", reason: `run ${i} has no valid id` });
    const end = start + view.getUint32(at + lengthsAt + 4 * i, true);
    assertFits(end <= bytes.length, "bundle entry");
    const input = start === end ? noBytes : bytes.subarray(start, end);
    start = end;
    const entry: RunEntry =
      bundle.form === runForm.compactedBundle
        ? memberOf(input)
        : { form: runForm.new, priority, createdAt, dueAt, isDated, scheduleTimeoutMs, inbox, extra, input };
    runs.push({ id: ids[i]!, entry });
  }
  return runs;
}

/** A bundle within a bundle would be a run without an input. */
function memberOf(bytes: Uint8Array): RunEntry {
  const member = decodeRunEntry(bytes);
  assertFits(!isBundle(member), "bundle entry");
  return member;
}

export const isBundle = ({ form }: Pick<RunEntry, "form">): boolean =>
  form === runForm.bundle || form === runForm.compactedBundle;

function encodeMembers(ids: readonly string[], parts: readonly Uint8Array[]): Uint8Array {
  const names = ids.join(separator);
  let length = head + mostBytes(names) + 4 * parts.length;
  for (const part of parts) length += part.length;
  const record = draft(length);
  const { bytes, view } = record;
  const lengthsAt = writeText(bytes, head, names);
  place.count.set(view, 0, parts.length);
  place.idsLength.set(view, 0, lengthsAt - head);
  let end = lengthsAt + 4 * parts.length;
  for (let i = 0; i < parts.length; i++) {
    view.setUint32(lengthsAt + 4 * i, parts[i]!.length, true);
    end = writeBytes(bytes, end, parts[i]!);
  }
  return finish(record, end);
}
