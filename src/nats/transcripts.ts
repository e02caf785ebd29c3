// The stream of what attempts put out: log lines, progress, chunks. It is created by a dedicated engine, or with the first output: a namespace
// with silent tasks needs none, and a server reserves the space that the stream may take.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Log } from "../domain/log.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { NatsLink } from "./link.ts";
import { type ClosableLogReader, followLog, type LogListener } from "./log-reader.ts";
import { makePublisher, type Publisher } from "./publisher.ts";
import { newestFromLeader, type StoredMessage } from "./stored-message.ts";
import type { StreamConfig } from "./stream-api.ts";
import { ensureStream, findConfig, type NamedConfig, type NotEnsured, type StreamUser } from "./streams.ts";

/** Limits that are not given stay as they are in an existing stream; a new one takes the defaults. */
export interface TranscriptLimits {
  readonly replicas: 1 | 3;
  /** Units: milliseconds. @default 24 h */
  readonly maxAgeMs?: number | undefined;
  /** Beyond this, the oldest entries are discarded. @default 1 GiB, or less if the server does not have that much */
  readonly maxBytes?: number | undefined;
}

const defaultMaxAgeMs = 24 * 3_600_000;
const defaultMaxBytes = 1024 ** 3;
/** A server with less room than this is too small for logs. */
const leastBytes = 16 * 1024 ** 2;
/** Readers recognise a repeated message by its numbers; the server need not. Its window must not exceed the age of the stream. */
const longestDuplicateWindowMs = 120_000;

const tries = 50;
const pauseMs = 200;
const restMs = 10_000;

/** Reads output. Nothing here needs the stream to exist. */
export class Transcripts {
  protected readonly link: NatsLink;
  protected readonly subjects: Subjects;

  constructor(link: NatsLink, subjects: Subjects) {
    this.link = link;
    this.subjects = subjects;
  }

  /** The newest entry of a run, `key` = `<task>/<id>`. Fails: StoreUnavailable */
  newest(key: string): Promise<StoredMessage | undefined> {
    const { logsStream } = this.subjects;
    return newestFromLeader(this.link, logsStream, this.subjects.transcript(key), "none");
  }

  /** Reads the entries of a run from the first, then live, until it is closed. */
  follow(key: string, listener: LogListener): ClosableLogReader {
    const { logsStream } = this.subjects;
    return followLog(this.link, logsStream, 1, listener, this.subjects.transcript(key));
  }

  /** Whether the connection is closed for good. */
  get areClosed(): boolean {
    return this.link.nc.isClosed();
  }
}

/** Stores the output of attempts. */
export interface TranscriptStore {
  /**
   * Appends an entry of a run; creates the stream before the first one. Waits out an outage; an entry may be stored twice.
   *
   * Fails: StoreUnavailable, PermissionDenied, PayloadTooLarge, QueueFull, all for what does not pass by itself
   */
  append(key: string, entry: Uint8Array): Promise<void>;
  newest(key: string): Promise<StoredMessage | undefined>;
  readonly maxPayload: number;
  isConnected(): boolean;
}

export const makeTranscriptStore = (
  link: NatsLink,
  subjects: Subjects,
  limits: TranscriptLimits,
  user: StreamUser = { onDifference: () => {} },
): Effect.Effect<TranscriptStore, never, Scope.Scope> =>
  Effect.gen(function* () {
    const make = () => makeTranscripts(link, subjects, limits, user);
    // A stream that was removed under a running worker does not answer. So when the publisher has trouble, the stream is created again.
    const publisher = yield* makePublisher(link, { stream: subjects.logsStream, onTrouble: () => store.remake() });
    const store: LazyTranscriptStore = new LazyTranscriptStore(link, subjects, publisher, make);
    return store;
  });

class LazyTranscriptStore extends Transcripts implements TranscriptStore {
  readonly #publisher: Publisher;
  readonly #makeOnce: () => Promise<void>;
  #made: Promise<void> | undefined;
  #failedAt: number | undefined;
  #isMaking = false;

  constructor(link: NatsLink, subjects: Subjects, publisher: Publisher, make: () => Promise<void>) {
    super(link, subjects);
    this.#publisher = publisher;
    this.#makeOnce = make;
  }

  get maxPayload(): number {
    return this.link.maxPayload;
  }

  isConnected(): boolean {
    return this.link.isConnected();
  }

  async append(key: string, entry: Uint8Array): Promise<void> {
    await this.#open();
    await this.#publisher.append(this.subjects.transcript(key), entry);
  }

  /** After a failure it is not tried again for a while, since thousands of attempts may want the stream. */
  #open(): Promise<void> {
    const isRested = this.#failedAt !== undefined && performance.now() - this.#failedAt > restMs;
    return this.#made === undefined || isRested ? this.#make() : this.#made;
  }

  /** Tries once: if the trouble stays, the publisher calls this again. */
  remake(): void {
    if (this.#made === undefined || this.#isMaking || !this.link.isConnected()) return;
    this.#make().catch(() => {}); // the next append fails with it
  }

  #make(): Promise<void> {
    this.#isMaking = true;
    this.#failedAt = undefined;
    const made = this.#makeOnce().finally(() => {
      this.#isMaking = false;
    });
    this.#made = made;
    made.catch(() => {
      this.#failedAt = performance.now();
    });
    return made;
  }
}

/** Creates the stream if there is none; leaves an existing one as it is. Fails: StoreUnavailable, PermissionDenied */
async function makeTranscripts(
  link: NatsLink,
  subjects: Subjects,
  limits: TranscriptLimits,
  user: StreamUser,
): Promise<void> {
  const found = await findConfig(link, subjects.logsStream).catch(() => undefined); // asked again right away
  if (found === undefined) return await ensureTranscripts(link, subjects, limits);
  const named = configOf(subjects, limits);
  for (const field of ["max_age", "max_bytes"] as const) {
    if (named[field] === undefined || named[field] === found[field]) continue;
    const setting =
      field === "max_age" ? "logs.maxAge (NATCHET_LOGS_MAX_AGE)" : "logs.maxBytes (NATCHET_LOGS_MAX_BYTES)";
    user.onDifference(
      `stream ${found.name} does not have the ${setting} that is set here; only engines change streams: set it there`,
    );
  }
}

/**
 * For engines: applies the given limits if the stream exists. With `isDedicated` it is created too, for workers that may not do so. What goes wrong
 * is logged; nobody waits for it.
 */
export async function changeTranscripts(
  link: NatsLink,
  subjects: Subjects,
  limits: TranscriptLimits,
  { log, isDedicated }: { readonly log: Log; readonly isDedicated: boolean },
): Promise<void> {
  try {
    const isThere = isDedicated || (await findConfig(link, subjects.logsStream)) !== undefined;
    if (isThere) await ensureTranscripts(link, subjects, limits);
  } catch (problem) {
    const error = problem instanceof Error ? problem : (problem as NotEnsured).error;
    log.warn("the limits of the log stream could not be set", { stream: subjects.logsStream, error });
  }
}

/** Creates the stream, or changes the given limits. Fails: StoreUnavailable, PermissionDenied */
export async function ensureTranscripts(link: NatsLink, subjects: Subjects, limits: TranscriptLimits): Promise<void> {
  const named = configOf(subjects, limits);
  let atFirst = { ...ageConfig(defaultMaxAgeMs), max_bytes: defaultMaxBytes };
  for (let left = tries; ; left--) {
    try {
      await ensureStream(link, named, atFirst);
      return;
    } catch (problem) {
      const { passes, isTooLarge, error } = problem as NotEnsured;
      const mayBeSmaller = isTooLarge && limits.maxBytes === undefined && atFirst.max_bytes > leastBytes;
      if (mayBeSmaller) atFirst = { ...atFirst, max_bytes: atFirst.max_bytes / 4 };
      else if (!passes || left === 0 || link.nc.isClosed()) throw error;
      else await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

const configOf = (subjects: Subjects, { replicas, maxAgeMs, maxBytes }: TranscriptLimits): NamedConfig => ({
  name: subjects.logsStream,
  subjects: [subjects.transcripts],
  retention: "limits",
  storage: "file",
  discard: "old",
  allow_direct: true,
  num_replicas: replicas,
  max_consumers: 100_000, // every reader is one
  ...(maxAgeMs !== undefined && ageConfig(maxAgeMs)),
  ...(maxBytes !== undefined && { max_bytes: maxBytes }),
});

const ageConfig = (maxAgeMs: number): Pick<StreamConfig, "max_age" | "duplicate_window"> => ({
  max_age: maxAgeMs * 1_000_000,
  duplicate_window: Math.min(maxAgeMs, longestDuplicateWindowMs) * 1_000_000,
});
