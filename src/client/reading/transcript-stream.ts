// The stream of a transcript: entries as they come, up to the one that was the newest when the run had ended. While its caller is slow, it stops
// reading instead of filling this process's memory.
import { ResultNotAwaited, StoreUnavailable } from "../../domain/errors.ts";
import type { ClosableLogReader } from "../../nats/log-reader.ts";
import type { Transcripts } from "../../nats/transcripts.ts";
import { decodeTranscript } from "../../wire/transcript-entry.ts";
import type { Results } from "../results/results.ts";
import type { Awaited } from "../results/waits.ts";
import type { Heard, TranscriptSieve } from "./transcript-sieve.ts";

interface Batch {
  readonly heard: readonly Heard[];
  readonly bytes: number;
}

const pauseAbove = 4 * 1024 * 1024;
const resumeBelow = 1024 * 1024;
/** How often it is checked whether the newest entry is still there: it may be discarded before it is read. */
const lookAgainMs = 1_000;
const mostStandstillMs = 15_000;

export class TranscriptStream {
  readonly #transcripts: Transcripts;
  readonly #key: string;
  readonly #listing: TranscriptSieve;
  readonly #reader: ClosableLogReader;
  readonly #wait: Awaited | undefined;
  readonly #signal: AbortSignal | undefined;
  #batches: Batch[] = [];
  #bytes = 0;
  #position = 0;
  /** The last sequence to read; undefined until the run has ended. */
  #until: number | undefined;
  #failure: Error | undefined;
  #isClosed = false;
  #wake: () => void = () => {};
  #trouble = "nothing arrives";
  #positionBefore = 0;
  /** For how long nothing has come although more is stored. Units: milliseconds */
  #standstillMs = 0;
  #lookAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(
    parts: { readonly transcripts: Transcripts; readonly results: Results },
    key: string,
    listing: TranscriptSieve,
    until: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#transcripts = parts.transcripts;
    this.#key = key;
    this.#listing = listing;
    this.#signal = signal;
    this.#reader = parts.transcripts.follow(key, {
      onMessage: (seq, _subject, data) => this.#receive(seq, data),
      onTrouble: (reason) => this.#troubled(reason),
    });
    signal?.addEventListener("abort", this.#aborted);
    this.#wait = until === undefined ? parts.results.wait(key) : undefined;
    if (until !== undefined) this.#endAt(until);
    this.#wait?.output.then(
      () => this.#ended(),
      (error: Error) => (error instanceof ResultNotAwaited ? this.#fail(error) : this.#ended()),
    );
  }

  /** The records of the next entry; undefined at the end. */
  async next(): Promise<readonly Heard[] | undefined> {
    for (;;) {
      if (this.#signal?.aborted) return undefined;
      const batch = this.#batches.shift();
      if (batch !== undefined) {
        this.#bytes -= batch.bytes;
        if (this.#bytes < resumeBelow) this.#reader.resume();
        return batch.heard;
      }
      if (this.#until !== undefined && this.#position >= this.#until) return undefined;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#lookAgain);
    this.#signal?.removeEventListener("abort", this.#aborted);
    this.#reader.close();
    this.#wait?.giveUp(this.#clientClosed());
    this.#batches = [];
  }

  readonly #aborted = (): void => this.#wake();

  /** Most trouble passes: an outage, a stream that does not exist yet. */
  #troubled(reason: string): void {
    this.#trouble = reason;
    if (/permissions violation/i.test(reason)) this.#fail(this.#unreadable());
  }

  /** An entry that cannot be read is missing: the numbers of the next one of its attempt show that. */
  #receive(seq: number, data: Uint8Array): void {
    this.#position = seq;
    try {
      this.#batches.push({ heard: this.#listing.hear(decodeTranscript(data)), bytes: data.length });
      this.#bytes += data.length;
      if (this.#bytes > pauseAbove) this.#reader.pause();
    } finally {
      this.#wake();
    }
  }

  /** The run has ended. All its output was stored before its outcome, so the entry that is the newest now is the last one. */
  async #ended(): Promise<void> {
    while (!this.#isClosed && this.#failure === undefined) {
      try {
        const newest = await this.#transcripts.newest(this.#key);
        return this.#endAt(newest?.seq ?? 0);
      } catch {
        if (this.#transcripts.areClosed) return this.#fail(this.#clientClosed());
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs)); // an outage
      }
    }
  }

  #endAt(seq: number): void {
    this.#until = seq;
    this.#wake();
    if (this.#isClosed || this.#position >= seq) return;
    if (this.#batches.length > 0) this.#standstillMs = 0; // it is the caller who is slow
    if (this.#position !== this.#positionBefore) this.#standstillMs = 0;
    this.#positionBefore = this.#position;
    if (this.#standstillMs >= mostStandstillMs) this.#fail(this.#unreadable());
    this.#standstillMs += lookAgainMs;
    this.#lookAgain = setTimeout(() => void this.#ended(), lookAgainMs);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  #unreadable(): StoreUnavailable {
    return new StoreUnavailable({ operation: `read what run ${this.#key} says`, reason: this.#trouble });
  }

  #clientClosed(): ResultNotAwaited {
    return new ResultNotAwaited({ key: this.#key, reason: "the client was closed" });
  }
}
