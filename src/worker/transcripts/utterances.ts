// What the code of a task says, as it is stored: bounded, and sealed where there are keys.
import { cutText } from "../../domain/printable.ts";
import { toText } from "../../domain/thrown.ts";
import type { LineLevel } from "../../domain/transcript.ts";
import { sealChunk, sealLine, sealNote } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { noBytes } from "../../wire/bytes.ts";
import { lineUtterance, type Utterance } from "../../wire/transcript-entry.ts";
import { fieldBytes } from "./line.ts";
import { chunkOf } from "./voice.ts";

const longestNote = 1_000;

export class Utterances {
  readonly #run: string;
  readonly #now: () => number;
  readonly #vault: Vault | undefined;

  constructor(run: string, now: () => number, vault: Vault | undefined) {
    this.#run = run;
    this.#now = now;
    this.#vault = vault;
  }

  line(level: LineLevel, text: string, given: Record<string, unknown> | undefined): Utterance {
    const [at, message, fields] = [this.#now(), cutText(toText(text)), fieldBytes(given)];
    if (this.#vault === undefined) return lineUtterance(at, level, message, fields);
    return lineUtterance(at, level, sealLine(this.#vault, this.#run, message, fields), noBytes);
  }

  /** Throws a TypeError, as {@link chunkOf} */
  chunk(given: unknown): Utterance {
    const chunk = chunkOf(this.#now(), given);
    return this.#vault === undefined ? chunk : sealChunk(this.#vault, this.#run, chunk);
  }

  /** Of a progress. */
  note(given = ""): string {
    const note = cutText(toText(given), longestNote);
    return this.#vault === undefined || note === "" ? note : sealNote(this.#vault, this.#run, note);
  }
}
