// Lean stories: the story of a run that does not fit into an entry is cut, step by step, until it does.
import type { AttemptRecord, OutcomeKind } from "../domain/run.ts";
import { noBytes } from "./bytes.ts";
import { type RunEntry, runForm } from "./run-entry.ts";
import type { FinalDetail, OutcomeDetail } from "./story.ts";

type Attempts = readonly AttemptRecord[];
type Lean<T> = (whole: T) => T;

const briefMessage = 200;
/** How many attempts are kept of a run that has had thousands. */
const lastAttempts = 100;

/** From the fullest to the barest. */
export const leanAttempts: readonly Lean<Attempts>[] = [
  (attempts) => attempts.map(brief),
  (attempts) => attempts.slice(-lastAttempts).map(withoutError),
  (attempts) => attempts.slice(-1).map(withoutError),
];

/**
 * The story of an outcome, from the fullest to the barest. That of a final one keeps the run's error to the last, when it says only how the run
 * ended. A completed run does without this last form: its output says so already.
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

/** How the run ended, and nothing about its attempts. */
function barestDetail({ createdAt, priority, error }: FinalDetail): FinalDetail {
  const reason = "the rest of its story did not fit into its outcome";
  const why = error && { name: cut(error.name, briefMessage), message: cut(error.message, 1_000) };
  return { createdAt, priority, attempts: [], reason, ...(why && { error: why }) };
}

/** The forms of a compacted entry, from the entry as it is to the barest. */
export const leanEntries: readonly Lean<RunEntry>[] = [
  (entry) => entry,
  ...leanAttempts.map((lean) => (entry: RunEntry) => withHistory(entry, lean)),
  // The input goes at last: a finished run that cannot be stored would block the purge of everything behind it.
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
