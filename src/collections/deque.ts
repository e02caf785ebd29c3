// A deque: first in, first out, for lists that are millions long and grow and shrink all the time.
const bits = 10;
const blockSize = 1 << bits;

/**
 * A first-in, first-out list that may hold dead items: readers skip them, and `prune` removes them.
 *
 * It grows by blocks: one long array would be copied as it grows, reserve half as much again, and be scanned by every
 * collection since it was written to.
 */
export class Deque<T> {
  #blocks: T[][] = [[]];
  #last = this.#blocks[0]!;
  /** Items already removed from the first block. */
  #head = 0;
  /** Items in the last block, including removed ones. */
  #tail = 0;

  get size(): number {
    return ((this.#blocks.length - 1) << bits) + this.#tail - this.#head;
  }
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.size; i++) yield this.at(i)!;
  }
  first(): T | undefined {
    return this.#blocks[0]![this.#head];
  }
  last(): T | undefined {
    return this.size === 0 ? undefined : this.#last[this.#tail - 1];
  }
  at(index: number): T | undefined {
    const i = this.#head + index;
    return this.#blocks[i >> bits]?.[i & (blockSize - 1)];
  }
  push(item: T): void {
    if (this.#tail === blockSize) {
      this.#last = new Array(blockSize);
      this.#blocks.push(this.#last);
      this.#tail = 0;
    }
    this.#last[this.#tail++] = item;
  }
  shift(): T | undefined {
    const item = this.first();
    if (item === undefined) return undefined;
    this.#blocks[0]![this.#head++] = undefined as T;
    if (this.#head === (this.#blocks.length === 1 ? this.#tail : blockSize)) this.#dropFirst();
    return item;
  }
  prune(isAlive: (item: T) => boolean): void {
    const kept = new Deque<T>();
    for (const item of this) if (isAlive(item)) kept.push(item);
    this.#blocks = kept.#blocks;
    this.#last = kept.#last;
    this.#head = 0;
    this.#tail = kept.#tail;
  }
  /** The first block is used up. */
  #dropFirst(): void {
    this.#head = 0;
    if (this.#blocks.length > 1) this.#blocks.shift();
    else this.#tail = 0;
  }
}
