// Appends the entries of one attempt to the transcript of its run, one after another.
import type { TranscriptStore } from "../../nats/transcripts.ts";
import type { Assignment } from "../../wire/assignment.ts";
import {
  decodeTranscriptHead,
  encodeTranscript,
  type ProgressMark,
  type Utterance,
} from "../../wire/transcript-entry.ts";

const largestEntry = 256 * 1024;
/** Room for the head of an entry, its longest note, and what the server adds. */
const besideChunk = 8 * 1024;

export class EntryWriter {
  readonly #store: TranscriptStore;
  readonly #assignment: Assignment;
  /** Chosen by chance with the first entry: tells the attempts of a run apart. */
  #writer: number | undefined;
  /** Number of the next utterance. */
  #next = 0;

  constructor(store: TranscriptStore, assignment: Assignment) {
    this.#store = store;
    this.#assignment = assignment;
  }

  /** Units: bytes */
  get largestChunk(): number {
    return this.#store.maxPayload - besideChunk;
  }
  get entryBytes(): number {
    return Math.min(largestEntry, this.largestChunk);
  }

  /** `lines`: of the run so far. Fails: as {@link TranscriptStore.append} */
  append(said: readonly Utterance[], lines: number, progress: ProgressMark | undefined): Promise<void> {
    const { key, origin, turn, attempt } = this.#assignment;
    this.#writer ??= crypto.getRandomValues(new Uint32Array(1))[0]!;
    const head = { origin, turn, attempt, writer: this.#writer, first: this.#next, lines, progress };
    this.#next += said.length;
    return this.#store.append(key, encodeTranscript(head, said));
  }

  /** Utterances that are given up: readers see that something is missing. */
  skip(count: number): void {
    this.#next += count;
  }

  /** Lines that earlier attempts have stored: the limit is per run. */
  async earlierLines(): Promise<number> {
    const { key, origin, turn } = this.#assignment;
    if (turn <= 1) return 0;
    try {
      const newest = await this.#store.newest(key);
      const head = newest && decodeTranscriptHead(newest.data);
      return head?.origin === origin ? head.lines : 0;
    } catch {
      return 0; // not known: then this attempt counts by itself
    }
  }
}
