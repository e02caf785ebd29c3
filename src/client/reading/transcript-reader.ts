// The reader of transcripts: lines, chunks and progress of a run, from the first record on and then live, until the run has ended and all is read.

import { RunNotFound } from "../../domain/errors.ts";
import { assertKnownOptions } from "../../domain/known-options.ts";
import { isFinished } from "../../domain/run.ts";
import { type LogLine, type Progress, type StreamChunk, storedLines } from "../../domain/transcript.ts";
import type { Transcripts } from "../../nats/transcripts.ts";
import { openChunk, openLine, openNote } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { decodeTranscriptHead } from "../../wire/transcript-entry.ts";
import type { EngineRequests } from "../asking/engine-requests.ts";
import { deadlineOf } from "../asking/patience.ts";
import type { Results } from "../results/results.ts";
import type { ReadOptions } from "./read-options.ts";
import { type Heard, TranscriptSieve } from "./transcript-sieve.ts";
import { TranscriptStream } from "./transcript-stream.ts";

export interface TranscriptSources {
  readonly transcripts: Transcripts;
  readonly results: Results;
  readonly requests: EngineRequests;
  readonly vault?: Vault | undefined;
}

/** The lines of a run, and a line for each gap. */
export async function* readLines(
  parts: TranscriptSources,
  key: string,
  options: ReadOptions,
): AsyncGenerator<LogLine, void, void> {
  for await (const { attempt, turn, missed, record } of readTranscript(parts, key, options)) {
    const said = { attempt, turn, at: record.at };
    if (missed > 0) yield { ...said, ...droppedLine(missed, "lines and chunks are no longer kept") };
    if (record.kind === "line") {
      const { message, fields } = await openLine(parts.vault, key, record as Pick<LogLine, "message" | "fields">);
      yield { ...said, level: record.level, message, ...(fields !== undefined && { fields }) };
    } else if (record.kind === "dropped") {
      const { what, count } = record;
      const why = what === "lines" ? `the first ${storedLines} of a run are stored` : "ctx.stream was not awaited";
      yield { ...said, ...droppedLine(count, `${what} dropped: ${why}`) };
    }
  }
}

const droppedLine = (dropped: number, what: string) =>
  ({ level: "warn", message: `${dropped} ${what}`, dropped }) as const;

export async function* readChunks(
  parts: TranscriptSources,
  key: string,
  options: ReadOptions,
): AsyncGenerator<StreamChunk, void, void> {
  let missing = 0;
  let turnBefore = 0;
  for await (const { attempt, turn, missed, record } of readTranscript(parts, key, options)) {
    if (turn !== turnBefore) missing = 0;
    turnBefore = turn;
    missing += missed;
    if (record.kind === "dropped" && record.what === "chunks") missing += record.count;
    if (record.kind !== "chunk") continue;
    const value = await openChunk(parts.vault, key, record.value);
    yield { attempt, turn, at: record.at, value, ...(missing > 0 && { missed: missing }) };
    missing = 0;
  }
}

/** The newest progress of the newest attempt that reported any. Fails: RunNotFound, EngineUnreachable, StoreUnavailable */
export async function readProgress(parts: TranscriptSources, key: string): Promise<Progress | undefined> {
  const [{ run }, newest] = await Promise.all([
    parts.requests.ask("get", { key }, deadlineOf()),
    parts.transcripts.newest(key),
  ]);
  if (run === null) throw new RunNotFound({ key });
  const head = newest && decodeTranscriptHead(newest.data);
  if (head?.progress === undefined || head.origin !== (run.origin ?? head.origin)) return undefined;
  const { at, fraction } = head.progress;
  const note = await openNote(parts.vault, key, head.progress.note);
  return { attempt: head.attempt, turn: head.turn, at, fraction, ...(note !== "" && { note }) };
}

/** Fails: RunNotFound, EngineUnreachable; ResultNotAwaited when the client is closed; RangeError for an impossible attempt */
async function* readTranscript(
  parts: TranscriptSources,
  key: string,
  options: ReadOptions,
): AsyncGenerator<Heard, void, void> {
  assertKnownOptions(options, { options: ["attempt", "follow", "signal"], of: "reading a run" });
  const chosen = assertAttempt(options.attempt ?? "all");
  const { run } = await parts.requests.ask("get", { key }, deadlineOf());
  const newest = await parts.transcripts.newest(key);
  if (run === null && newest === undefined) throw new RunNotFound({ key });
  const head = newest && decodeTranscriptHead(newest.data);
  // What a forgotten run has put out is shown for as long as its transcript is kept.
  const listing = new TranscriptSieve(chosen, run?.origin ?? head?.origin, head);
  const isLive = options.follow !== false && run !== null && !isFinished(run.state);
  const until = isLive ? undefined : (newest?.seq ?? 0);
  const reading = new TranscriptStream(parts, key, listing, until, options.signal);
  try {
    for (let heard = await reading.next(); heard !== undefined; heard = await reading.next()) yield* heard;
  } finally {
    reading.close();
  }
}

type Chosen = "all" | "newest" | number;

function assertAttempt(attempt: Chosen): Chosen {
  if (attempt === "all" || attempt === "newest" || (Number.isSafeInteger(attempt) && (attempt as number) >= 1))
    return attempt;
  throw new RangeError(
    `attempt: ${String(attempt)} is not "all", "newest" or a number from 1, for example { attempt: "newest" }`,
  );
}
