// Reading an entry of the log: what the fold needs of its bytes. For engines, and for whoever only watches the log.
import { isBundle, runsOfBundle } from "../wire/bundle-entry.ts";
import { assertPastMark, decodeOutcomeEntry, type Outcome } from "../wire/outcome-entry.ts";
import { assertRange } from "../wire/ranges.ts";
import { madeInboxOf } from "../wire/result-inbox.ts";
import { decodeRunEntry } from "../wire/run-entry.ts";
import { assertPast } from "../wire/run-extra.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { BundleEvent, EntryEvent, OutcomesEvent, SignalEvent } from "./log-events.ts";

/** A message of the log. Units: `at` epoch milliseconds, by the server */
export interface LogMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly at: number;
}
/** With all that the entry says of each outcome. `unknownKind`: the kind of one that was left out, as this version does not know it; 0 = none. */
export interface OutcomesRead extends OutcomesEvent {
  readonly outcomes: readonly Outcome[];
  readonly unknownKind: number;
}

/** Fails: MalformedRecord */
export function readEntry(
  subjects: Subjects,
  message: LogMessage,
): EntryEvent | BundleEvent | SignalEvent | OutcomesRead {
  const { seq, subject, at } = message;
  if (subjects.isRun(subject)) return readRun(subjects, message);
  if (subjects.isSignal(subject)) return { type: "signal", seq, at, ...subjects.parseSignal(subject) };
  return readOutcomes(subjects, message);
}

function readRun(subjects: Subjects, { seq, subject, data, at }: LogMessage): EntryEvent | BundleEvent {
  const entry = decodeRunEntry(data);
  if (isBundle(entry)) {
    const runs = runsOfBundle(entry);
    for (const { entry: member } of runs) if (member.extra !== undefined) assertPast(member.extra, seq);
    return { type: "bundle", seq, at, ...subjects.parseBundle(subject), runs };
  }
  if (entry.extra !== undefined) assertPast(entry.extra, seq);
  const { task, id } = subjects.parseRun(subject);
  return { type: "entry", seq, at, task, id, entry };
}

function readOutcomes(subjects: Subjects, { seq, subject, data, at }: LogMessage): OutcomesRead {
  const { writer, waiter, by: author } = subjects.parseOutcome(subject);
  const { by, outcomes, moved, unknownKind } = decodeOutcomeEntry(data, writer, author);
  if (by === "engine") for (const outcome of outcomes) if (outcome.kind === "retention") assertPastMark(outcome, seq);
  for (const place of moved?.places ?? []) assertRange(place < seq, "outcome entry", "where it stood", place);
  const told = waiter === "" ? "" : madeInboxOf(waiter);
  return { type: "outcomes", seq, at, by, writer, told, moved, outcomes, unknownKind };
}
