// A sieve for transcripts: it passes the entries that belong to a run, each once. A repeated append is stored twice, and an earlier run with the
// same id may have left some.
import type { TranscriptEntry, TranscriptHead, TranscriptRecord } from "../../wire/transcript-entry.ts";

/** A record, the attempt that made it, and how many records of that attempt are missing before it. */
export interface Heard {
  readonly attempt: number;
  readonly turn: number;
  readonly missed: number;
  readonly record: TranscriptRecord;
}

export class TranscriptSieve {
  readonly #chosen: "all" | "newest" | number;
  #origin: number | undefined;
  #newestTurn = 0;
  /** By attempt: the number of the record that is expected next. */
  readonly #next = new Map<string, number>();

  /** `newest`: the newest entry that is stored, so that the choice "newest" skips earlier attempts. */
  constructor(chosen: "all" | "newest" | number, origin: number | undefined, newest: TranscriptHead | undefined) {
    this.#chosen = chosen;
    this.#origin = origin;
    if (newest !== undefined && newest.origin === origin) this.#newestTurn = newest.turn;
  }

  /** Takes the next entry in, and returns what to show of it. */
  hear(entry: TranscriptEntry): Heard[] {
    const { attempt, turn, writer, first, records } = entry;
    this.#origin ??= entry.origin;
    if (entry.origin !== this.#origin) return [];
    this.#newestTurn = Math.max(this.#newestTurn, turn);
    const name = `${turn}.${writer}`;
    const next = this.#next.get(name) ?? 0;
    this.#next.set(name, Math.max(next, first + records.length));
    if (!this.#isChosen(entry)) return [];
    return records.slice(Math.max(0, next - first)).map((record, at) => {
      return { attempt, turn, missed: at === 0 ? Math.max(0, first - next) : 0, record };
    });
  }

  #isChosen({ attempt, turn }: TranscriptEntry): boolean {
    if (this.#chosen === "newest") return turn === this.#newestTurn;
    return this.#chosen === "all" || this.#chosen === attempt;
  }
}
