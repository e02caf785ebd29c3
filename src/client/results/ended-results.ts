// Results of runs that have ended, read from the log. An entry has the results of many runs: it is read once for all who wait for one of
// them, so that ten thousand waits are not ten thousand reads.
import type { StoredEntries } from "../../nats/stored-entries.ts";
import type { Outcome } from "../../wire/outcome-entry.ts";
import type { EndedRun } from "../../wire/verbs.ts";
import type { Waits } from "./waits.ts";

export interface EndedResultsParts {
  readonly entries: Pick<StoredEntries, "outcomesAt">;
  readonly waits: Waits;
  readonly onOutcome: (outcome: Outcome) => void;
}

export class EndedResults {
  readonly #parts: EndedResultsParts;
  /** By the sequence of an entry: the runs whose results are to be read there. */
  #toRead = new Map<number, EndedRun[]>();

  constructor(parts: EndedResultsParts) {
    this.#parts = parts;
  }

  /** How many entries are to be read. */
  get waiting(): number {
    return this.#toRead.size;
  }

  add(ended: readonly EndedRun[]): void {
    for (const run of ended) {
      const wait = this.#parts.waits.get(run.key);
      if (wait === undefined || wait.isFound) continue;
      wait.isFound = true;
      const together = this.#toRead.get(run.seq);
      if (together === undefined) this.#toRead.set(run.seq, [run]);
      else together.push(run);
    }
  }

  /** Begins to read what was added. */
  read(): void {
    for (const [seq, runs] of this.#toRead) void this.#readEntry(seq, runs);
    this.#toRead = new Map();
  }

  /** Never rejects: a result that could not be read is asked for again later, and the engine says where it is then. */
  async #readEntry(seq: number, runs: readonly EndedRun[]): Promise<void> {
    const { entries, waits, onOutcome } = this.#parts;
    if (!runs.some(({ key }) => waits.get(key))) return; // all of them were given up
    const outcomes = await entries.outcomesAt(seq).catch(() => []);
    for (const { key, index } of runs) {
      const wait = waits.get(key);
      if (wait !== undefined) wait.isFound = false;
      const outcome = outcomes[index];
      if (outcome?.key === key) onOutcome(outcome);
    }
  }
}
