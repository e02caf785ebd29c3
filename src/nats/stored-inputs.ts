// Reads the inputs of runs from the log.
import { splitKey } from "../domain/run.ts";
import { isBundle, runsOfBundle } from "../wire/bundle-entry.ts";
import type { Outcome } from "../wire/outcome-entry.ts";
import { decodeRunEntry, type RunEntry } from "../wire/run-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { RunStore } from "./run-store.ts";
import type { StoredMessage } from "./stored-message.ts";

/** The entry of a run, or its part of a bundle; undefined if that no longer contains it. Fails: MalformedRecord */
export function entryIn(stored: StoredMessage, key: string): Omit<RunEntry, "form"> | undefined {
  const entry = decodeRunEntry(stored.data);
  if (!isBundle(entry)) return entry;
  const { id } = splitKey(key);
  return runsOfBundle(entry).find((run) => run.id === id)?.entry;
}

/** The same of its input. Fails: MalformedRecord */
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
  // By its subject: it may have been moved, and only runs with an entry of their own are large.
  const stored = await store.newestOf(subjects.run(task, id));
  if (stored === undefined) return undefined;
  const { extra, input: kept } = decodeRunEntry(stored.data);
  // An entry of another origin belongs to a duplicate, or to a later run with the same id.
  return (extra?.state?.origin ?? stored.seq) === origin ? kept : undefined;
}
