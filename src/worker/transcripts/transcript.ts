// worker/transcripts/: what tasks log, report and stream.
// The output of one attempt on its way into the log: grouped by tick, one entry in flight at a time (so its order is the order of the
// stream), bounded in memory. Created with the attempt's first output.

import type { TaskLog } from "../../domain/context.ts";
import { PayloadTooLarge, StoreUnavailable, StreamTooFast } from "../../domain/errors.ts";
import { cutText } from "../../domain/printable.ts";
import type { OutcomeKind } from "../../domain/run.ts";
import { toText } from "../../domain/thrown.ts";
import { type LineLevel, storedLines } from "../../domain/transcript.ts";
import type { TranscriptStore } from "../../nats/transcripts.ts";
import { atMost } from "../../runtime/at-most.ts";
import { type Deferred, deferred } from "../../runtime/deferred.ts";
import { sealChunk, sealLine, sealNote } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import type { Assignment } from "../../wire/assignment.ts";
import { noBytes } from "../../wire/bytes.ts";
import {
  decodeTranscriptHead,
  droppedUtterance,
  encodeTranscript,
  endUtterance,
  lineUtterance,
  type ProgressMark,
  progressUtterance,
  recordHead,
  spanMs,
  type Utterance,
} from "../../wire/transcript-entry.ts";
import { fieldBytes } from "./line.ts";
import { Speaker } from "./speaker.ts";
import { chunkOf, quietRejection, type Voice } from "./voice.ts";

export interface TranscriptParts {
  readonly assignment: Assignment;
  /** Where lines go as well. */
  readonly console: TaskLog;
  readonly store: TranscriptStore;
  /** Seals what is stored; the console is told in plain words. */
  readonly vault?: Vault | undefined;
  /** Units: epoch milliseconds */
  readonly now: () => number;
  /** Called once with why nothing is stored. */
  readonly onTrouble: (reason: string) => void;
  /** The attempt is over: what its code still logs goes only to the console. */
  readonly isOver: boolean;
  /** How long the end of the attempt waits for a log that does not answer. Units: milliseconds. @default 15_000 */
  readonly patienceMs?: number;
}

const tickMs = 10;
const progressEveryMs = 100;
/** Stored without waiting for the tick. */
const hurryBytes = 64 * 1024;
const entryBytes = 256 * 1024;
/** `ctx.stream` waits above it. */
const roomBytes = 256 * 1024;
/** `ctx.stream` refuses above it: only code that does not await gets there. */
const mostBytes = 4 * 1024 * 1024;
/** What an utterance takes in memory besides its body. */
const utteranceBytes = 100;
/** The head of an entry, its longest note and what the server adds. */
const besideChunk = 8 * 1024;
const longestNote = 1_000;
/** The end of an attempt waits for its transcript, but a log that does not answer must not hold up the outcome forever. */
const usualPatienceMs = 15_000;
/** How long to wait after a refusal. */
const restMs = 10_000;

const done = Promise.resolve();

export class Transcript extends Speaker implements Voice {
  readonly #parts: TranscriptParts;
  #writer: number | undefined;
  #waiting: Utterance[] = [];
  #waitingBytes = 0;
  /** On its way to the server. */
  #sentBytes = 0;
  #next = 0;
  #isFirstEntry = true;
  /** Produced by this attempt and not dropped. */
  #lines = 0;
  /** Of the run, as the entries say. */
  #storedLines = 0;
  #droppedLines = 0;
  #droppedChunks = 0;
  #progress: ProgressMark | undefined;
  #isProgressNew = false;
  #progressStoredAt = 0;
  /** Set from the end of the attempt until its last entry is made. */
  #ending: OutcomeKind | undefined;
  #isOver: boolean;
  #storing: Promise<void> | undefined;
  #hurry: (() => void) | undefined;
  /** What `ctx.stream` waits for. */
  #room: Deferred<void> | undefined;
  #refused: Error | undefined;
  #refusedAt = 0;

  constructor(parts: TranscriptParts) {
    super();
    this.#parts = parts;
    this.#isOver = parts.isOver;
  }

  progress(fraction: number, note: string | undefined): void {
    this.#parts.console.info(note ?? "progress", { progress: fraction });
    if (!this.#isHeard) return;
    this.#progress = { fraction, note: this.#note(cutText(toText(note ?? ""), longestNote)), at: this.#parts.now() };
    this.#isProgressNew = true;
    this.#start();
  }

  stream(chunk: unknown): Promise<void> {
    const utterance = this.#chunk(chunkOf(this.#parts.now(), chunk));
    this.#assertFits(utterance);
    if (!this.#isHeard) return quietRejection(this.#refused ?? this.#unheard("the attempt has ended"));
    const bytes = this.#waitingBytes + this.#sentBytes;
    if (bytes >= mostBytes) {
      this.#droppedChunks += 1;
      return quietRejection(new StreamTooFast({ key: this.#parts.assignment.key, waitingBytes: bytes }));
    }
    this.#markDroppedChunks();
    this.#say(utterance);
    return bytes + utterance.body.length < roomBytes ? done : this.#untilRoom();
  }

  end(outcome: OutcomeKind): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    if (this.#isHeard && this.#hasSpoken) this.#ending = outcome;
    this.#isOver = true;
    if (this.#ending !== undefined) this.#start();
    this.#hurry?.();
    return this.#storing && this.#patiently(this.#storing);
  }

  protected line(level: LineLevel, message: string, fields: Record<string, unknown> | undefined): void {
    this.#parts.console[level](message, fields);
    if (!this.#isHeard) return;
    if (this.#lines >= storedLines) {
      this.#droppedLines += 1;
      return;
    }
    this.#lines += 1;
    this.#say(this.#line(level, cutText(toText(message)), fieldBytes(fields)));
  }

  #line(level: LineLevel, message: string, fields: Uint8Array): Utterance {
    const { vault, assignment, now } = this.#parts;
    if (vault === undefined) return lineUtterance(now(), level, message, fields);
    return lineUtterance(now(), level, sealLine(vault, assignment.key, message, fields), noBytes);
  }

  #note(note: string): string {
    const { vault, assignment } = this.#parts;
    return vault === undefined || note === "" ? note : sealNote(vault, assignment.key, note);
  }

  #chunk(plain: Utterance): Utterance {
    const { vault, assignment } = this.#parts;
    return vault === undefined ? plain : sealChunk(vault, assignment.key, plain);
  }

  get #isHeard(): boolean {
    if (this.#isOver) return false;
    if (this.#refused !== undefined && performance.now() - this.#refusedAt > restMs) this.#refused = undefined;
    return this.#refused === undefined;
  }

  /** Code that only reads `ctx.log` leaves no entry. */
  get #hasSpoken(): boolean {
    return this.#storing !== undefined || !this.#isFirstEntry;
  }

  #say(utterance: Utterance): void {
    this.#waiting.push(utterance);
    this.#waitingBytes += sizeOf(utterance);
    this.#start();
    if (this.#waitingBytes >= hurryBytes) this.#hurry?.();
  }

  #start(): void {
    this.#storing ??= this.#store();
  }

  /** Stores entry after entry until nothing waits; never rejects. */
  async #store(): Promise<void> {
    await this.#tick();
    if (this.#isFirstEntry) await this.#countEarlierLines();
    this.#isFirstEntry = false;
    while (this.#hasMore) {
      const said = this.#take();
      if (said.length > 0) await this.#append(said);
      if (this.#hasMore) await this.#tick();
    }
    this.#storing = undefined;
  }

  get #hasMore(): boolean {
    return this.#waiting.length > 0 || this.#isProgressNew || this.#ending !== undefined;
  }

  #tick(): Promise<void> {
    if (this.#isOver || this.#waitingBytes >= hurryBytes) return done;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#hurry?.(), tickMs);
      this.#hurry = () => {
        clearTimeout(timer);
        this.#hurry = undefined;
        resolve();
      };
    });
  }

  /** The limit is per run: a later attempt continues the count of earlier ones. */
  async #countEarlierLines(): Promise<void> {
    const { assignment, store } = this.#parts;
    if (assignment.turn <= 1) return;
    try {
      const newest = await store.newest(assignment.key);
      const head = newest && decodeTranscriptHead(newest.data);
      if (head?.origin === assignment.origin) this.#storedLines = head.lines;
    } catch {
      // Not known: then this attempt counts by itself.
    }
  }

  /** The content of the next entry; nothing if only a progress that may wait longer, or lines beyond the limit, are waiting. */
  #take(): Utterance[] {
    const said: Utterance[] = [];
    let bytes = 0;
    let taken = 0;
    for (const utterance of this.#waiting) {
      const apart = Math.abs(utterance.at - (said[0] ?? utterance).at);
      if (said.length > 0 && (bytes + utterance.body.length > this.#entryBytes || apart > spanMs / 2)) break;
      taken += 1;
      this.#waitingBytes -= sizeOf(utterance);
      if (utterance.kind === "line" && ++this.#storedLines > storedLines) {
        this.#storedLines = storedLines;
        this.#droppedLines += 1;
        continue;
      }
      bytes += utterance.body.length + recordHead;
      said.push(utterance);
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    if (this.#waiting.length === 0) this.#takeLast(said);
    return said;
  }

  #takeLast(said: Utterance[]): void {
    const now = this.#parts.now();
    if (said.length > 0 && Math.abs(now - said[0]!.at) > spanMs / 2) return; // an entry of its own
    const isDue = said.length > 0 || this.#isOver || now - this.#progressStoredAt >= progressEveryMs;
    if (this.#isProgressNew && isDue) {
      said.push({ ...progressUtterance(this.#progress!), at: now });
      this.#isProgressNew = false;
      this.#progressStoredAt = now;
    }
    if (this.#ending === undefined) return;
    if (this.#droppedChunks > 0) said.push(droppedUtterance(now, "chunks", this.#droppedChunks));
    if (this.#droppedLines > 0) said.push(droppedUtterance(now, "lines", this.#droppedLines));
    said.push(endUtterance(now, this.#ending));
    this.#ending = undefined;
  }

  async #append(said: readonly Utterance[]): Promise<void> {
    const { assignment, store } = this.#parts;
    const { key, origin, turn, attempt } = assignment;
    const first = this.#next;
    this.#next += said.length;
    for (const utterance of said) this.#sentBytes += sizeOf(utterance);
    const lines = this.#storedLines;
    this.#writer ??= crypto.getRandomValues(new Uint32Array(1))[0]!;
    const head = { origin, turn, attempt, writer: this.#writer, first, lines, progress: this.#progress };
    try {
      await store.append(key, encodeTranscript(head, said));
    } catch (error) {
      this.#refuse(error as Error);
    }
    this.#sentBytes = 0;
    if (this.#waitingBytes >= roomBytes) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Gives up what is waiting: readers see that something is missing. */
  #refuse(error: Error): void {
    if (this.#refused === undefined) this.#parts.onTrouble(error.message);
    this.#refused = error;
    this.#refusedAt = performance.now();
    this.#next += this.#waiting.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isProgressNew = false;
    this.#ending = undefined;
    this.#room?.reject(error);
    this.#room = undefined;
  }

  #untilRoom(): Promise<void> {
    if (this.#room === undefined) {
      this.#room = deferred();
      this.#room.promise.catch(() => {});
    }
    return this.#room.promise;
  }

  #markDroppedChunks(): void {
    if (this.#droppedChunks === 0) return;
    this.#say(droppedUtterance(this.#parts.now(), "chunks", this.#droppedChunks));
    this.#droppedChunks = 0;
  }

  #assertFits({ body }: Utterance): void {
    const limit = this.#parts.store.maxPayload - besideChunk;
    if (body.length > limit) {
      const what = `a chunk of run ${this.#parts.assignment.key}`;
      throw new PayloadTooLarge({ what, bytes: body.length, limit });
    }
  }

  get #entryBytes(): number {
    return Math.min(entryBytes, this.#parts.store.maxPayload - besideChunk);
  }

  #unheard(reason: string): StoreUnavailable {
    return new StoreUnavailable({ operation: `take a chunk of run ${this.#parts.assignment.key}`, reason });
  }

  /** Waits out an outage, as the outcome will; but not a log that does not answer on a good connection. */
  async #patiently(stored: Promise<void>): Promise<void> {
    const { store, onTrouble, patienceMs = usualPatienceMs } = this.#parts;
    let isStored = false;
    const storing = stored.then(() => {
      isStored = true;
    });
    while (!isStored) {
      await atMost(patienceMs, storing);
      if (!isStored && store.isConnected()) return onTrouble("the log stream does not answer");
    }
  }
}

const sizeOf = ({ body }: Utterance): number => body.length + utteranceBytes;
