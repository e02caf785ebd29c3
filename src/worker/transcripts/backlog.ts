// What an attempt has said and no entry holds yet. Of the lines of a run only the first are kept; the others are counted.
import { storedLines } from "../../domain/transcript.ts";
import { droppedUtterance, recordHead, spanMs, type Utterance } from "../../wire/transcript-entry.ts";

/** What an utterance takes in memory besides its body. */
const utteranceBytes = 100;

export class Backlog {
  /** Lines of the run in all entries so far. */
  lines = 0;
  #waiting: Utterance[] = [];
  #bytes = 0;
  /** Lines that this attempt has said and that were not dropped at once. */
  #said = 0;
  #dropped = 0;

  get bytes(): number {
    return this.#bytes;
  }
  get size(): number {
    return this.#waiting.length;
  }

  /** Whether a line may be added; it counts as said, or as dropped. */
  admitsLine(): boolean {
    const isAdmitted = this.#said < storedLines;
    if (isAdmitted) this.#said += 1;
    else this.#dropped += 1;
    return isAdmitted;
  }

  add(utterance: Utterance): void {
    this.#waiting.push(utterance);
    this.#bytes += sizeOf(utterance);
  }

  /** The content of the next entry; empty if only lines beyond the limit were waiting. */
  take(mostBytes: number): Utterance[] {
    const taken: Utterance[] = [];
    let bytes = 0;
    let count = 0;
    for (const utterance of this.#waiting) {
      const apart = Math.abs(utterance.at - (taken[0] ?? utterance).at);
      if (taken.length > 0 && (bytes + utterance.body.length > mostBytes || apart > spanMs / 2)) break;
      count += 1;
      this.#bytes -= sizeOf(utterance);
      if (utterance.kind === "line" && !this.#countLine()) continue;
      bytes += utterance.body.length + recordHead;
      taken.push(utterance);
    }
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    return taken;
  }

  /** For the last entry. */
  droppedLines(at: number): Utterance[] {
    return this.#dropped === 0 ? [] : [droppedUtterance(at, "lines", this.#dropped)];
  }

  /** Gives up everything; returns how much. */
  clear(): number {
    const { length } = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return length;
  }

  /** False beyond the limit of the run, whose earlier attempts may have said lines too. */
  #countLine(): boolean {
    const isKept = this.lines < storedLines;
    if (isKept) this.lines += 1;
    else this.#dropped += 1;
    return isKept;
  }
}

export const sizeOf = ({ body }: Utterance): number => body.length + utteranceBytes;
