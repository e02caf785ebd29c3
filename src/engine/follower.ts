// Folds the log: every entry becomes an event of the scheduler, in order and once.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { UnreadableEvent } from "../fold/log-events.ts";
import { type LogMessage, readEntry } from "../fold/read-entry.ts";
import type { Leader } from "../leader/leader.ts";
import { type LogReader, readLog } from "../nats/log-reader.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";

export interface FollowerParts extends Pick<Leader, "link" | "subjects" | "log" | "neighbours" | "progress"> {
  readonly onEvent: (event: SchedulerEvent) => void;
  /** The stream was recreated, or has lost entries that were folded already. */
  readonly onLost: (reason: string) => void;
  /** A signal was read, and is folded next. */
  readonly onSignal: (seq: number, data: Uint8Array) => void;
  /** The reader has read everything that is stored. Outcomes may have been purged in the meantime before it came to them. */
  readonly onCaughtUp: () => void;
}

type Read = ReturnType<typeof readEntry> | UnreadableEvent;

export class Follower {
  /** The outcome entry being folded, so that its results are forwarded without reading them back. */
  current: Leader["folding"];
  isHalted = false;
  readonly #parts: FollowerParts;
  #reader: LogReader | undefined;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /** Folds the log from its first entry, for as long as the scope is open. */
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

  /** Folds nothing more until `startOver`. Whoever waits for a place in the log goes on waiting. */
  halt(): void {
    this.isHalted = true;
    this.#parts.progress.position = 0;
  }

  /** Folds everything again, into a new scheduler. */
  startOver(): void {
    this.isHalted = false;
    this.#parts.progress.position = 0;
    this.#reader?.rewind();
  }

  #fold(message: LogMessage): void {
    if (this.isHalted) return;
    const event = this.#read(message);
    if (event.type === "signal") this.#parts.onSignal(event.seq, message.data);
    this.#give(event, message.subject);
    if (!this.isHalted) this.#parts.progress.moveTo(event.seq); // folding this very entry may have halted it
  }

  #read(message: LogMessage): Read {
    const { seq, subject, at } = message;
    try {
      return readEntry(this.#parts.subjects, message);
    } catch (error) {
      this.#parts.log.error("an entry of the log cannot be read and is skipped", { seq, subject, error });
      return { type: "unreadable", seq, at };
    }
  }

  #give(event: Read, subject: string): void {
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
}
