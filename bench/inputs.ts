// The payloads of the benchmark: as JSON each is exactly as long as asked for.
import { type Input, now } from "./adapter.ts";

const firstN = 10_000_000;
const emptyBytes = JSON.stringify({ n: firstN, sent: 1_700_000_000_000_000, text: "" }).length;

export class Inputs {
  /** How many were made. */
  made = 0;
  readonly #texts = new Map<number, string>();

  one(bytes: number, sent = now()): Input {
    return { n: firstN + this.made++, sent: Math.round(sent * 1_000), text: this.#text(bytes) };
  }

  many(count: number, bytes: number, sent = now()): Input[] {
    return Array.from({ length: count }, () => this.one(bytes, sent));
  }

  #text(bytes: number): string {
    let text = this.#texts.get(bytes);
    if (text === undefined) {
      text = "x".repeat(Math.max(0, bytes - emptyBytes));
      this.#texts.set(bytes, text);
    }
    return text;
  }
}

/** The place of an input among those of its measurement, from 0. */
export function indexOf(input: Input): number {
  return input.n - firstN;
}
