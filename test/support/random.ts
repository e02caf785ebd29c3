// Random values for property tests. The seed is part of every failure's message: `new Random(seed)` repeats it.
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed = Math.floor(Math.random() * 2 ** 31)) {
    this.seed = seed;
    this.#state = seed;
  }

  get label(): string {
    return `seed ${this.seed}`;
  }

  /** 0 ≤ number < 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)]!;
  }

  /** Well-formed text of all planes. */
  text(shortest: number, longest: number): string {
    const length = this.whole(shortest, longest);
    let text = "";
    for (let i = 0; i < length; i++) text += String.fromCodePoint(this.#codePoint());
    return text;
  }

  bytes(longest: number): Uint8Array {
    return Uint8Array.from({ length: this.whole(0, longest) }, () => this.whole(0, 255));
  }

  #codePoint(): number {
    if (this.chance(0.6)) return this.whole(32, 126);
    const point = this.whole(0, 0x10ffff);
    return point >= 0xd800 && point <= 0xdfff ? 0xe000 : point;
  }
}
