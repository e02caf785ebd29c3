import { isFinal, type OutcomeKind } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { EntryLog } from "./entry-log.ts";
import type { FoldedOutcome } from "./log-events.ts";

/** An outcome of a key that no entry explains yet, kept because a compacted entry may still follow (rule 3). */
export interface RememberedOutcome {
  readonly seq: number;
  /** Of the entry, on the server's clock. */
  readonly at: number;
  readonly index: number;
  readonly byEngine: boolean;
  readonly writer: string;
  /** As the event says it. */
  readonly told: string;
  readonly outcome: FoldedOutcome;
  /** Where it stood before, if it was moved. */
  readonly places?: readonly number[] | undefined;
}

/** Where the log has an outcome; `at` is on the server's clock. */
type Place = Pick<RememberedOutcome, "seq" | "index" | "at">;

/** A key with a final outcome: an entry of the index that queries and duplicates are answered from. */
export class FinishedRun {
  readonly key: string;
  readonly task: string;
  readonly kind: OutcomeKind;
  readonly origin: number;
  /** Where the accepted outcome stands. */
  seq: number;
  index: number;
  readonly at: number;
  writer = "";
  createdAt: number;
  attempt = 0;
  metadata: Readonly<Record<string, string>> | undefined = undefined;
  /** Why it failed or was cancelled, in short, for searching lists. */
  why: string | undefined = undefined;
  /** First outcome not covered by an entry in finished or compacted form; Infinity if none. And the last one, which may be the entry's `asOf`. */
  firstOutcome: number;
  lastOutcome: number;
  /** Last final outcome before the accepted one that was ignored; 0 = none. */
  staleFinal = 0;
  /** The run entry that may still be in the stream; 0 = none. Written by {@link setEntry}, as is what follows from it. */
  entrySeq = 0;
  /** That entry is in finished form and holds the state of the key by itself. */
  isCompacted = false;
  /** That entry holds the input: it is not a duplicate's. */
  holdsInput = false;
  /** The accepted outcome says that the input stays in the run's entry. */
  inputStays = false;
  /** Set while only outcomes were seen: a later compacted entry decides. */
  remembered: RememberedOutcome[] | undefined = undefined;
  /** `kind` says how it had ended; nothing else is kept. */
  isErased = false;

  constructor(key: string, task: string, kind: OutcomeKind, origin: number, { seq, index, at }: Place) {
    this.key = key;
    this.task = task;
    this.kind = kind;
    this.origin = origin;
    this.seq = seq;
    this.index = index;
    this.at = at;
    this.createdAt = at;
    this.firstOutcome = seq;
    this.lastOutcome = seq;
  }
}

/** A run that an outcome has finished. `about`: what its outcomes need not say. */
export function finishedBy(
  accepted: RememberedOutcome,
  key: string,
  task: string,
  about: Pick<FinishedRun, "createdAt" | "attempt" | "metadata">,
): FinishedRun {
  const { outcome, writer } = accepted;
  const run = new FinishedRun(key, task, wasOf(outcome), outcome.origin, accepted);
  run.writer = writer;
  run.createdAt = about.createdAt;
  run.attempt = about.attempt;
  run.why = whyOf(outcome);
  run.isErased = outcome.kind === "erased";
  if (run.isErased) return run;
  run.metadata = about.metadata;
  run.inputStays = outcome.inputStays === true;
  return run;
}

interface Pins {
  readonly pinned: ReadonlySet<string>;
}

/** Where its result can be read: of a pinned run, whose outcome may be gone, in its own entry. */
export const resultPlaceOf = ({ pinned }: Pins, { key, seq, index, entrySeq }: FinishedRun) =>
  pinned.has(key) ? { seq: entrySeq, index: 0 } : { seq, index };

const longestWhy = 200;

function whyOf(outcome: FoldedOutcome): string | undefined {
  const { kind } = outcome;
  if (kind !== "failed" && kind !== "cancelled") return undefined;
  const { error, reason } = (outcome.detail ?? {}) as Partial<FinalDetail>; // read only now: it is parsed when it is read
  const why = error === undefined ? reason : `${error.name}: ${error.message}`;
  return why?.slice(0, longestWhy);
}

/** How the run has ended, or had before it was erased. */
function wasOf(outcome: FoldedOutcome): OutcomeKind {
  if (outcome.kind !== "erased") return outcome.kind;
  const { was } = (outcome.detail ?? {}) as Partial<FinalDetail>;
  return was !== undefined && isFinal(was) ? was : "completed";
}

const countOf = ({ isCompacted, holdsInput }: FinishedRun): "kept" | "garbage" =>
  isCompacted || holdsInput ? "kept" : "garbage";

/** Records which entry of a finished run is in the stream (0 = none), and updates the count of garbage. */
export function setEntry(
  entries: EntryLog,
  run: FinishedRun,
  seq: number,
  isCompacted = false,
  holdsInput = false,
): void {
  if (run.entrySeq > 0) entries[countOf(run)]--;
  run.entrySeq = seq;
  run.isCompacted = isCompacted;
  run.holdsInput = holdsInput;
  if (seq > 0) entries[countOf(run)]++;
}
