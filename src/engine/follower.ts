// Folds the log: every entry becomes an event of the scheduler, in order and once.
import { Effect, type Scope } from "effect";
import { type LogMessage, readEntry } from "../fold/read-entry.ts";
import type { Leader } from "../leader/leader.ts";
import { type LogReader, readLog } from "../nats/log-reader.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";

export interface FollowerParts extends Pick<Leader, "link" | "subjects" | "log" | "neighbours"> {
  readonly onEvent: (event: SchedulerEvent) => void;
  /** The log is no longer what was folded. */
  readonly onLost: (reason: string) => void;
  /** A signal was read, and is folded next. */
  readonly onSignal: (seq: number, data: Uint8Array) => void;
  /** The reader has read everything stored; outcomes may have been purged ahead of it in the meantime. */
  readonly onCaughtUp: () => void;
}

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
}

export class Follower {
  /** Sequence of the newest entry folded. */
  position = 0;
  /** The outcome entry being folded, so that its results are forwarded without reading them back. */
  current: Leader["folding"];
  isHalted = false;
  readonly #parts: FollowerParts;
  #reader: LogReader | undefined;
  #waiters: Waiter[] = [];
  /** The first position that somebody waits for. */
  #awaited = Number.POSITIVE_INFINITY;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /** Folds from the start, as long as the scope is open. */
  follow(): Effect.Effect<void, never, Scope.Scope> {
    const { link, subjects, log, onCaughtUp, onLost } = this.#parts;
    const reader = readLog(link, subjects.stream, 1, {
      onMessage: (seq, subject, data, at) => this.#fold({ seq, subject, data, at }),
      ...{ onCaughtUp, onLost },
      onTrouble: (reason) => log.debug("reads the log again", { reason }),
    });
    return Effect.map(reader, (opened) => {
      this.#reader = opened;
    });
  }

  /** Folds nothing until it starts over; no waiter is resolved. */
  halt(): void {
    this.isHalted = true;
    this.position = 0;
  }

  /** Folds everything again, into a new scheduler. */
  startOver(): void {
    this.isHalted = false;
    this.position = 0;
    this.#reader?.rewind();
  }

  /** Resolves when everything up to `seq` is folded. */
  reached(seq: number): Promise<void> {
    if (this.position >= seq) return Promise.resolve();
    this.#awaited = Math.min(this.#awaited, seq);
    return new Promise((resolve) => this.#waiters.push({ seq, resolve }));
  }

  /** The awaited positions may never exist again. */
  giveUpWaiting(): void {
    this.#awaited = Number.POSITIVE_INFINITY;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #fold(message: LogMessage): void {
    if (this.isHalted) return;
    const { seq, subject, data } = message;
    try {
      const event = readEntry(this.#parts.subjects, message);
      if (event.type === "signal") this.#parts.onSignal(seq, data);
      this.#give(event, subject);
    } catch (error) {
      this.#parts.log.error("an entry of the log cannot be read and is skipped", { seq, subject, error });
    }
    if (this.isHalted) return; // by this very entry
    this.position = seq;
    if (seq >= this.#awaited) this.#tellWaiters();
  }

  #give(event: ReturnType<typeof readEntry>, subject: string): void {
    const { onEvent, neighbours, log } = this.#parts;
    if (event.type === "outcomes") this.current = event;
    onEvent(event);
    this.current = undefined;
    if (event.type !== "outcomes") return;
    const { seq, unknownKind } = event;
    neighbours.saw(subject, seq);
    if (unknownKind > 0)
      log.error("an outcome of an unknown kind in the log is skipped", { seq, subject, unknownKind });
  }

  /** The waiters are few (a takeover, a cancel), so a pass over all of them is cheap. */
  #tellWaiters(): void {
    const reached = this.#waiters.filter((waiter) => waiter.seq <= this.position);
    this.#waiters = this.#waiters.filter((waiter) => waiter.seq > this.position);
    this.#awaited = this.#waiters.reduce((first, { seq }) => Math.min(first, seq), Number.POSITIVE_INFINITY);
    for (const waiter of reached) waiter.resolve();
  }
}
