// Shortens the story of a run that does not fit into an entry.
import type { AttemptRecord, OutcomeKind } from "../domain/run.ts";
import { noBytes } from "./bytes.ts";
import { type RunEntry, runForm } from "./run-entry.ts";
import type { FinalDetail, OutcomeDetail } from "./story.ts";

type Attempts = readonly AttemptRecord[];
type Lean<T> = (whole: T) => T;

const briefMessage = 200;
/** Attempts that are kept of a run with thousands. */
const lastAttempts = 100;

/** From the fullest to the barest. */
export const leanAttempts: readonly Lean<Attempts>[] = [
  (attempts) => attempts.map(brief),
  (attempts) => attempts.slice(-lastAttempts).map(withoutError),
  (attempts) => attempts.slice(-1).map(withoutError),
];

/**
 * The story of an outcome, from the fullest to the barest. A final one keeps the run's own error; at last it says how the run ended and
 * nothing more, which of a completed run its output says already.
 */
export function* leanDetails(
  kind: OutcomeKind,
  detail: OutcomeDetail | undefined,
): Generator<OutcomeDetail | undefined> {
  yield detail;
  if (detail === undefined) return;
  if ("attempts" in detail) {
    for (const lean of leanAttempts) yield { ...detail, attempts: lean(detail.attempts) };
    if (kind !== "completed") yield barestDetail(detail);
  } else {
    if ("attempt" in detail) yield { attempt: brief(detail.attempt) };
    yield undefined;
  }
}

/** How it ended, and nothing before that. */
function barestDetail({ createdAt, priority, error }: FinalDetail): FinalDetail {
  const reason = "the rest of its story did not fit into its outcome";
  const why = error && { name: cut(error.name, briefMessage), message: cut(error.message, 1_000) };
  return { createdAt, priority, attempts: [], reason, ...(why && { error: why }) };
}

/** Of a compacted entry, which comes first as it is. */
export const leanEntries: readonly Lean<RunEntry>[] = [
  (entry) => entry,
  ...leanAttempts.map((lean) => (entry: RunEntry) => withHistory(entry, lean)),
  // A finished run that cannot be stored would block everything after it.
  (entry) =>
    entry.form === runForm.finished ? { ...entry, input: noBytes } : withHistory(entry, leanAttempts.at(-1)!),
];

function withHistory(entry: RunEntry, lean: Lean<Attempts>): RunEntry {
  const { extra } = entry;
  if (extra?.state === undefined || !("history" in extra.state)) return entry;
  return { ...entry, extra: { ...extra, state: { ...extra.state, history: lean(extra.state.history) } } };
}

function brief({ error, ...record }: AttemptRecord): AttemptRecord {
  if (error === undefined) return record;
  return { ...record, error: { name: error.name, message: cut(error.message, briefMessage) } };
}

const withoutError = ({ error: _, ...record }: AttemptRecord): AttemptRecord => record;

export const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}…` : text;
