// How a run is compacted where its whole history does not fit into an entry: many runs of a bundle may have failed many times.
import type { AttemptRecord } from "../domain/run.ts";
import { noBytes } from "../protocol/bytes.ts";
import { type RunEntry, runForm } from "../protocol/run-entry.ts";

const briefMessage = 200;

/** From the fullest to the barest. */
export const leanSteps: readonly ((entry: RunEntry) => RunEntry)[] = [
  (entry) => entry,
  (entry) => withHistory(entry, (history) => history.map(withoutStack)),
  (entry) => withHistory(entry, (history) => history.slice(-10).map(withoutError)),
  lastAttemptOnly,
  // A finished run that cannot be written down would hold up all that is behind it.
  (entry) => (entry.form === runForm.finished ? { ...entry, input: noBytes } : lastAttemptOnly(entry)),
];

function lastAttemptOnly(entry: RunEntry): RunEntry {
  return withHistory(entry, (history) => history.slice(-1).map(withoutError));
}

function withHistory(entry: RunEntry, lean: (history: readonly AttemptRecord[]) => AttemptRecord[]): RunEntry {
  const { extra } = entry;
  if (extra?.state === undefined || !("history" in extra.state)) return entry;
  return { ...entry, extra: { ...extra, state: { ...extra.state, history: lean(extra.state.history) } } };
}

function withoutStack({ error, ...record }: AttemptRecord): AttemptRecord {
  if (error === undefined) return record;
  return { ...record, error: { name: error.name, message: error.message.slice(0, briefMessage) } };
}

const withoutError = ({ error: _, ...record }: AttemptRecord): AttemptRecord => record;
