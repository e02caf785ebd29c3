// Reads results of finished runs from the log. An entry has results of many runs: it is read once for all who wait for one of
// them, so that ten thousand waits are not ten thousand reads.

import type { StoredEntries } from "../../nats/stored-entries.ts";
import type { Outcome } from "../../wire/outcome-entry.ts";
import type { EndedRun } from "../../wire/verbs.ts";

export interface EndedResultsParts {
  readonly entries: Pick<StoredEntries, "outcomesAt">;
  /** Whether somebody still waits for this run. */
  readonly isAwaited: (key: string) => boolean;
  readonly onOutcome: (outcome: Outcome) => void;
}

export class EndedResults {
  readonly #parts: EndedResultsParts;
  /** What is to be read or being read, by the sequence of the entry. */
  readonly #wanted = new Map<number, Map<string, number>>();
  #toRead: number[] = [];
  /** Keys that were found and not read yet: asking again would only find them again. */
  readonly #found = new Set<string>();

  constructor(parts: EndedResultsParts) {
    this.#parts = parts;
  }

  /** Entries that are to be read. */
  get waiting(): number {
    return this.#wanted.size;
  }

  isOnItsWay(key: string): boolean {
    return this.#found.has(key);
  }

  add(ended: readonly EndedRun[]): void {
    for (const { key, seq, index } of ended) {
      if (!this.#parts.isAwaited(key) || this.#found.has(key)) continue;
      this.#found.add(key);
      const wanted = this.#wanted.get(seq);
      if (wanted !== undefined) wanted.set(key, index);
      else {
        this.#wanted.set(seq, new Map([[key, index]]));
        this.#toRead.push(seq);
      }
    }
  }

  /** Begins to read. Whoever has more to add does so first. */
  read(): void {
    for (const seq of this.#toRead) void this.#readEntry(seq);
    this.#toRead = [];
  }

  close(): void {
    this.#wanted.clear();
    this.#found.clear();
    this.#toRead = [];
  }

  /** Never rejects: what could not be read is requested again later, and the engine says where it is then. */
  async #readEntry(seq: number): Promise<void> {
    const { entries, onOutcome } = this.#parts;
    const outcomes = await entries.outcomesAt(seq).catch(() => []);
    const wanted = this.#wanted.get(seq) ?? [];
    this.#wanted.delete(seq);
    for (const [key, index] of wanted) {
      this.#found.delete(key);
      const outcome = outcomes[index];
      if (outcome?.key === key) onOutcome(outcome);
    }
  }
}
