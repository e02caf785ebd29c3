// When to ask again for what did not come: 2 s after the last time, then 4, 8 … 60. One timer for all of them, none for each.
export interface Asked {
  readonly key: string;
  /** How often it was due, up to the longest pause. Written by {@link AskTimes} only. */
  level: number;
  /** Epoch milliseconds. Written by {@link AskTimes} only. */
  dueAt: number;
}

const pausesMs = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000];

export class AskTimes<T extends Asked> {
  /** Within a level all pauses are equal, so the order of insertion is the order of the due times. */
  readonly #levels = pausesMs.map(() => new Set<T>());
  readonly #onDue: (due: readonly T[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(onDue: (due: readonly T[]) => void) {
    this.#onDue = onDue;
  }

  add(asked: T): void {
    asked.dueAt = Date.now() + pausesMs[asked.level]!;
    this.#levels[asked.level]!.add(asked);
    if (asked.dueAt < this.#timerAt) this.#arm(asked.dueAt);
  }

  remove(asked: T): void {
    this.#levels[asked.level]!.delete(asked);
  }

  restart(asked: T): void {
    this.remove(asked);
    asked.level = 0;
    this.add(asked);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, at - Date.now()));
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = Date.now();
    const due: T[] = [];
    for (const level of this.#levels) {
      for (const asked of level) {
        if (asked.dueAt > now) break;
        level.delete(asked);
        due.push(asked);
      }
    }
    for (const asked of due) {
      asked.level = Math.min(asked.level + 1, pausesMs.length - 1);
      this.add(asked);
    }
    for (const level of this.#levels) {
      const [first] = level;
      if (first !== undefined && first.dueAt < this.#timerAt) this.#arm(first.dueAt);
    }
    if (due.length > 0) this.#onDue(due);
  }
}
