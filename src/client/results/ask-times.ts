// When to ask again for a missing result: 2 s after the last time, then 4, 8 … 60. One timer for all of them.
import { Deque } from "../../collections/deque.ts";

export interface Asked {
  /** How often it was due, up to the longest pause; -1 when it no longer matters. Written by {@link AskTimes} only. */
  level: number;
  /** On the clock of `performance.now`. Written by {@link AskTimes} only. */
  dueAt: number;
}

const pausesMs = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000];

export class AskTimes<T extends Asked> {
  readonly #onDue: (due: readonly T[]) => void;
  /** Within a level all pauses are equal, so the first is due first. Removed ones stay until their time. */
  #levels: readonly Deque<T>[] = emptyLevels();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(onDue: (due: readonly T[]) => void) {
    this.#onDue = onDue;
  }

  /** Adds a run, to be asked for in 2 s for the first time. */
  add(asked: T): void {
    this.#put(asked, 0);
  }

  remove(asked: T): void {
    asked.level = -1;
  }

  /** These, and no others, with short pauses again. */
  restart(all: Iterable<T>): void {
    this.#levels = emptyLevels();
    for (const asked of all) this.#put(asked, 0);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#levels = emptyLevels();
  }

  #put(asked: T, level: number): void {
    asked.level = level;
    asked.dueAt = performance.now() + pausesMs[level]!;
    this.#levels[level]!.push(asked);
    if (asked.dueAt < this.#timerAt) this.#arm(asked.dueAt);
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, at - performance.now()));
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const due = this.#levels.flatMap((level) => takeDue(level, now));
    for (const asked of due) this.#put(asked, Math.min(asked.level + 1, pausesMs.length - 1));
    for (const level of this.#levels) {
      const first = level.first();
      if (first !== undefined && first.dueAt < this.#timerAt) this.#arm(first.dueAt);
    }
    if (due.length > 0) this.#onDue(due);
  }
}

function takeDue<T extends Asked>(level: Deque<T>, now: number): T[] {
  const due: T[] = [];
  for (let first = level.first(); first !== undefined; first = level.first()) {
    if (first.level >= 0 && first.dueAt > now) break;
    level.shift();
    if (first.level >= 0) due.push(first);
  }
  return due;
}

const emptyLevels = <T>(): Deque<T>[] => pausesMs.map(() => new Deque());
