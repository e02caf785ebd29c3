// worker/transcripts/: what tasks log, report and stream.
// A transcript: what one attempt puts out, on its way into the log. It is grouped by ticks, bounded in memory, and has one entry in flight at a
// time, so that its order is that of the stream. Created with the first output of the attempt.

import type { TaskLog } from "../../domain/context.ts";
import { PayloadTooLarge, StoreUnavailable, StreamTooFast } from "../../domain/errors.ts";
import type { OutcomeKind } from "../../domain/run.ts";
import type { LineLevel } from "../../domain/transcript.ts";
import type { TranscriptStore } from "../../nats/transcripts.ts";
import { atMost } from "../../runtime/at-most.ts";
import type { Vault } from "../../sealing/vault.ts";
import type { Assignment } from "../../wire/assignment.ts";
import { droppedUtterance, endUtterance, spanMs, type Utterance } from "../../wire/transcript-entry.ts";
import { Backlog, sizeOf } from "./backlog.ts";
import { EntryWriter } from "./entry-writer.ts";
import { LatestProgress } from "./latest-progress.ts";
import { Room } from "./room.ts";
import { Speaker } from "./speaker.ts";
import { Tick } from "./tick.ts";
import { Utterances } from "./utterances.ts";
import { quietRejection, type Voice } from "./voice.ts";

export interface TranscriptParts {
  readonly assignment: Assignment;
  /** Where log lines go as well. */
  readonly console: TaskLog;
  readonly store: TranscriptStore;
  /** Seals what is stored; the console gets it in plain. */
  readonly vault?: Vault | undefined;
  /** Units: epoch milliseconds */
  readonly now: () => number;
  /** Called once with why nothing is stored. */
  readonly onTrouble: (reason: string) => void;
  /** Whether the attempt is over: what its code still logs goes to the console only. */
  readonly isOver: boolean;
  /** How long the end of the attempt waits for a log that does not answer. Units: milliseconds. @default 15_000 */
  readonly patienceMs?: number;
}

/** With this much waiting, an entry is stored before the tick. */
const hurryBytes = 64 * 1024;
/** With more waiting, `ctx.stream` waits. */
const roomBytes = 256 * 1024;
/** With more waiting, `ctx.stream` refuses: only code that does not await it gets that far. */
const mostBytes = 4 * 1024 * 1024;
/** The end of an attempt waits for its transcript, but a log that does not answer must not hold up the outcome forever. */
const usualPatienceMs = 15_000;
/** How long nothing is stored after a refusal. */
const restMs = 10_000;

const done = Promise.resolve();

export class Transcript extends Speaker implements Voice {
  readonly #parts: TranscriptParts;
  readonly #utterances: Utterances;
  readonly #backlog = new Backlog();
  readonly #progress = new LatestProgress();
  readonly #writer: EntryWriter;
  readonly #tick = new Tick();
  readonly #room = new Room();
  /** How many bytes are on their way to the server. */
  #sentBytes = 0;
  /** Since the last chunk that was not dropped. */
  #droppedChunks = 0;
  #isFirstEntry = true;
  /** Set from the end of the attempt until its last entry is made. */
  #ending: OutcomeKind | undefined;
  #isOver: boolean;
  #storing: Promise<void> | undefined;
  #refused: { readonly error: Error; readonly at: number } | undefined;

  constructor(parts: TranscriptParts) {
    super();
    const { assignment, store, now, vault } = parts;
    this.#parts = parts;
    this.#utterances = new Utterances(assignment.key, now, vault);
    this.#writer = new EntryWriter(store, assignment);
    this.#isOver = parts.isOver;
  }

  progress(fraction: number, note: string | undefined): void {
    this.#parts.console.info(note ?? "progress", { progress: fraction });
    if (!this.#isHeard) return;
    this.#progress.set({ fraction, note: this.#utterances.note(note), at: this.#parts.now() });
    this.#start();
  }

  stream(chunk: unknown): Promise<void> {
    const { key } = this.#parts.assignment;
    const utterance = this.#utterances.chunk(chunk);
    this.#assertFits(utterance);
    if (!this.#isHeard) return quietRejection(this.#refused?.error ?? hasEnded(key));
    const bytes = this.#backlog.bytes + this.#sentBytes;
    if (bytes >= mostBytes) {
      this.#droppedChunks += 1;
      return quietRejection(new StreamTooFast({ key, waitingBytes: bytes }));
    }
    this.#markDroppedChunks();
    this.#say(utterance);
    return bytes + utterance.body.length < roomBytes ? done : this.#room.wait();
  }

  end(outcome: OutcomeKind): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    if (this.#isHeard && this.#hasSpoken) this.#ending = outcome;
    this.#isOver = true;
    if (this.#ending !== undefined) this.#start();
    this.#tick.hurry();
    return this.#storing && this.#patiently(this.#storing);
  }

  protected line(level: LineLevel, message: string, fields: Record<string, unknown> | undefined): void {
    this.#parts.console[level](message, fields);
    if (this.#isHeard && this.#backlog.admitsLine()) this.#say(this.#utterances.line(level, message, fields));
  }

  get #isHeard(): boolean {
    if (this.#isOver) return false;
    if (this.#refused !== undefined && performance.now() - this.#refused.at > restMs) this.#refused = undefined;
    return this.#refused === undefined;
  }

  /** Code that only reads `ctx.log` leaves no entry. */
  get #hasSpoken(): boolean {
    return this.#storing !== undefined || !this.#isFirstEntry;
  }

  #assertFits({ body }: Utterance): void {
    const limit = this.#writer.largestChunk;
    if (body.length <= limit) return;
    throw new PayloadTooLarge({ what: `a chunk of run ${this.#parts.assignment.key}`, bytes: body.length, limit });
  }

  #markDroppedChunks(): void {
    if (this.#droppedChunks === 0) return;
    this.#say(droppedUtterance(this.#parts.now(), "chunks", this.#droppedChunks));
    this.#droppedChunks = 0;
  }

  #say(utterance: Utterance): void {
    this.#backlog.add(utterance);
    this.#start();
    if (this.#backlog.bytes >= hurryBytes) this.#tick.hurry();
  }

  #start(): void {
    this.#storing ??= this.#store();
  }

  /** Stores entry after entry until nothing waits; never rejects. */
  async #store(): Promise<void> {
    await this.#untilDue();
    if (this.#isFirstEntry) this.#backlog.lines = await this.#writer.earlierLines();
    this.#isFirstEntry = false;
    while (this.#hasMore) {
      const said = this.#take();
      if (said.length > 0) await this.#append(said);
      if (this.#hasMore) await this.#untilDue();
    }
    this.#storing = undefined;
  }

  get #hasMore(): boolean {
    return this.#backlog.size > 0 || this.#progress.isNew || this.#ending !== undefined;
  }

  #untilDue(): Promise<void> {
    return this.#isOver || this.#backlog.bytes >= hurryBytes ? done : this.#tick.wait();
  }

  /** The content of the next entry; nothing if only a progress that may wait longer, or lines beyond the limit, are waiting. */
  #take(): Utterance[] {
    const said = this.#backlog.take(this.#writer.entryBytes);
    const now = this.#parts.now();
    const isApart = said.length > 0 && Math.abs(now - said[0]!.at) > spanMs / 2; // what follows takes an entry of its own
    if (this.#backlog.size > 0 || isApart) return said;
    said.push(...this.#progress.take(now, said.length > 0 || this.#isOver));
    if (this.#ending === undefined) return said;
    if (this.#droppedChunks > 0) said.push(droppedUtterance(now, "chunks", this.#droppedChunks));
    said.push(...this.#backlog.droppedLines(now), endUtterance(now, this.#ending));
    this.#ending = undefined;
    return said;
  }

  async #append(said: readonly Utterance[]): Promise<void> {
    for (const utterance of said) this.#sentBytes += sizeOf(utterance);
    try {
      await this.#writer.append(said, this.#backlog.lines, this.#progress.mark);
    } catch (error) {
      this.#refuse(error as Error);
    }
    this.#sentBytes = 0;
    if (this.#backlog.bytes < roomBytes) this.#room.open();
  }

  /** Gives up what is waiting: readers see that something is missing. */
  #refuse(error: Error): void {
    if (this.#refused === undefined) this.#parts.onTrouble(error.message);
    this.#refused = { error, at: performance.now() };
    this.#writer.skip(this.#backlog.clear());
    this.#progress.giveUp();
    this.#ending = undefined;
    this.#room.open(error);
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

const hasEnded = (key: string) =>
  new StoreUnavailable({ operation: `take a chunk of run ${key}`, reason: "the attempt has ended" });
