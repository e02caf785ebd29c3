// Results of runs that have ended are read from the log. An entry holds those of many runs: it is read once for all who wait for one of
// them, and few entries at a time, so that ten thousand waits are neither ten thousand reads nor more bytes than a socket takes.
import type { EndedRun } from "../wire/messages.ts";
import type { Outcome } from "../wire/outcome-entry.ts";
import type { StoredEntries } from "./stored-entries.ts";

const readsAtOnce = 16;

export interface EndedResultsParts {
  readonly entries: Pick<StoredEntries, "outcomesAt">;
  /** Whether somebody still waits for this run. */
  readonly isAwaited: (key: string) => boolean;
  readonly onOutcome: (outcome: Outcome) => void;
}

export class EndedResults {
  readonly #parts: EndedResultsParts;
  /** What is to be read, by the sequence of the entry; those that are being read stand here as well. */
  readonly #wanted = new Map<number, Map<string, number>>();
  readonly #toRead: number[] = [];
  /** Keys that were found and are not read yet: whoever asks for them again would only find them again. */
  readonly #found = new Set<string>();
  #reading = 0;
  #isClosed = false;

  constructor(parts: EndedResultsParts) {
    this.#parts = parts;
  }

  /** Entries that wait to be read. */
  get waiting(): number {
    return this.#toRead.length;
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
    while (this.#reading < readsAtOnce && this.#toRead.length > 0 && !this.#isClosed) {
      this.#reading += 1;
      void this.#readEntry(this.#toRead.shift()!).finally(() => {
        this.#reading -= 1;
        this.read();
      });
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#wanted.clear();
    this.#found.clear();
    this.#toRead.length = 0;
  }

  /** Never rejects: what could not be read is asked for again in its time, and the engine says where it is by then. */
  async #readEntry(seq: number): Promise<void> {
    const { entries, isAwaited, onOutcome } = this.#parts;
    const isWanted = [...this.#wanted.get(seq)!.keys()].some(isAwaited);
    const outcomes = isWanted ? await entries.outcomesAt(seq).catch(() => []) : [];
    const wanted = this.#wanted.get(seq) ?? [];
    this.#wanted.delete(seq);
    for (const [key, index] of wanted) {
      this.#found.delete(key);
      const outcome = outcomes[index];
      if (outcome?.key === key) onOutcome(outcome);
    }
  }
}
