// Where the input of a run is in the log: in its entry, in a bundle, or in its outcome.
import { splitKey } from "../domain/run.ts";
import { isBundle, runsOfBundle } from "../wire/bundle-entry.ts";
import type { Outcome } from "../wire/outcome-entry.ts";
import { decodeRunEntry, type RunEntry } from "../wire/run-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { RunStore } from "./run-store.ts";
import type { StoredMessage } from "./stored-message.ts";

/** The entry of a run, or its part of a bundle; undefined if the bundle no longer contains it. Fails: MalformedRecord */
export function entryIn(stored: StoredMessage, key: string): Omit<RunEntry, "form"> | undefined {
  const entry = decodeRunEntry(stored.data);
  if (!isBundle(entry)) return entry;
  const { id } = splitKey(key);
  return runsOfBundle(entry).find((run) => run.id === id)?.entry;
}

/** The input of a run in its entry, or in its bundle. Fails: MalformedRecord */
export const inputIn = (stored: StoredMessage, key: string): Uint8Array | undefined => entryIn(stored, key)?.input;

export const inputsOf = (bundle: ReturnType<typeof decodeRunEntry>): ReadonlyMap<string, Uint8Array> =>
  new Map(runsOfBundle(bundle).map(({ id, entry }) => [id, entry.input]));

/** The input of a finished run, from its outcome or its entry; undefined if it is gone. Fails: StoreUnavailable, MalformedRecord */
export async function inputOfFinished(
  store: RunStore,
  subjects: Subjects,
  { key, origin, input, inputStays, inputIsGone }: Outcome,
): Promise<Uint8Array | undefined> {
  if (inputIsGone) return undefined;
  if (!inputStays) return input;
  const { task, id } = splitKey(key);
  // Found by its subject, since the entry may have been moved; only runs with an entry of their own have large inputs.
  const stored = await store.newestOf(subjects.run(task, id));
  if (stored === undefined) return undefined;
  const { extra, input: kept } = decodeRunEntry(stored.data);
  // An entry of another origin belongs to a duplicate, or to a later run with the same id.
  return (extra?.state?.origin ?? stored.seq) === origin ? kept : undefined;
}
