// A finished run: what an engine keeps of it until retention forgets it.
import { isFinal, type OutcomeKind } from "../domain/run.ts";
import type { FinalDetail } from "../wire/story.ts";
import type { EntryLog } from "./entry-log.ts";
import type { FoldedOutcome } from "./log-events.ts";

/** An outcome and where it stands. Kept while no entry explains its key, because a compacted one may still follow (rule 3). */
export interface RememberedOutcome {
  readonly seq: number;
  /** When its entry was stored, on the server's clock. */
  readonly at: number;
  readonly index: number;
  readonly byEngine: boolean;
  readonly writer: string;
  /** The inbox whose owner reads the entry by itself; empty = nobody's. */
  readonly told: string;
  readonly outcome: FoldedOutcome;
  /** Where it stood before, if it was moved. */
  readonly places?: readonly number[] | undefined;
}

/** Where the log has an outcome; `at` is on the server's clock. */
type Place = Pick<RememberedOutcome, "seq" | "index" | "at">;

/** A run with an accepted final outcome. Queries and duplicates are answered from this. */
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
  /** The first outcome that no compacted entry covers (Infinity = none), and the last one, or the entry's `asOf` if that is later. Log sequences */
  firstOutcome: number;
  lastOutcome: number;
  /** The last final outcome that was ignored before one was accepted. A log sequence, 0 = none */
  staleFinal = 0;
  /** Sequence of the run entry that may still be in the stream; 0 = none. Written by {@link setEntry}, like the next two. */
  entrySeq = 0;
  /** The entry is in finished form: it holds the state of the run by itself. */
  isCompacted = false;
  /** The entry holds the run's input: it is not a duplicate's. */
  holdsInput = false;
  /** The accepted outcome says that the input stays in the run's entry. */
  inputStays = false;
  /** All outcomes of a run of which no entry was seen: a compacted one may still come, and decides. */
  remembered: RememberedOutcome[] | undefined = undefined;
  /** The run was erased: `kind` says how it had ended, and nothing else is kept. */
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

/** The finished run that an accepted outcome makes. `about`: what the outcome may not say. */
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

/** Where the result of a run can be read. That of a pinned one is in its own entry, since its outcome may be gone. */
export const resultPlaceOf = ({ pinned }: Pins, { key, seq, index, entrySeq }: FinishedRun) =>
  pinned.has(key) ? { seq: entrySeq, index: 0 } : { seq, index };

const longestWhy = 200;

function whyOf(outcome: FoldedOutcome): string | undefined {
  const { kind } = outcome;
  if (kind !== "failed" && kind !== "cancelled") return undefined;
  const { error, reason } = (outcome.detail ?? {}) as Partial<FinalDetail>; // not before the kind is known: `detail` is parsed when it is first read
  const why = error === undefined ? reason : `${error.name}: ${error.message}`;
  return why?.slice(0, longestWhy);
}

/** How the run ended, which the stone of an erased run repeats. */
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
