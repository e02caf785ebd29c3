// Ask times: when a missing result is asked for again, 2 s after the last time, then 4, 8 … 60.
import { Deque } from "../../collections/deque.ts";

export interface Asked {
  /** Which pause it is in; -1 once it no longer matters. Written by {@link AskTimes} only. */
  level: number;
  /** On the clock of `performance.now`. Written by {@link AskTimes} only. */
  dueAt: number;
}

const pausesMs = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000];

export class AskTimes<T extends Asked> {
  /** By pause: all in a level wait equally long, so the first is due first. Removed ones stay until their time. */
  #levels: readonly Deque<T>[] = emptyLevels();

  /** Adds a run, to be asked for in 2 s for the first time. */
  add(asked: T, now: number): void {
    this.#put(asked, 0, now);
  }

  remove(asked: T): void {
    asked.level = -1;
  }

  /** Starts over with these and no others, with short pauses. */
  restart(all: Iterable<T>, now: number): void {
    this.#levels = emptyLevels();
    for (const asked of all) this.#put(asked, 0, now);
  }

  /** Takes those whose time has come. Each is due again after the next longer pause. */
  takeDue(now: number): T[] {
    const due = this.#levels.flatMap((level) => takeDue(level, now));
    for (const asked of due) this.#put(asked, Math.min(asked.level + 1, pausesMs.length - 1), now);
    return due;
  }

  #put(asked: T, level: number, now: number): void {
    asked.level = level;
    asked.dueAt = now + pausesMs[level]!;
    this.#levels[level]!.push(asked);
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
