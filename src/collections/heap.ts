// collections/: containers for millions of items.

/** A binary heap: `first` is the item that comes before all others. */
export class Heap<T> {
  readonly #before: (a: T, b: T) => boolean;
  #items: T[] = [];

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }
  get size(): number {
    return this.#items.length;
  }
  /** In no particular order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }
  first(): T | undefined {
    return this.#items[0];
  }
  push(item: T): void {
    const items = this.#items;
    let i = items.length;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(item, items[parent]!)) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }
  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(0, last!);
    return first;
  }
  /** Moves the first item to where it belongs after a change. */
  sinkFirst(): void {
    if (this.#items.length > 1) this.#sink(0, this.#items[0]!);
  }
  prune(isAlive: (item: T) => boolean): void {
    this.#items = this.#items.filter(isAlive);
    for (let i = (this.#items.length >> 1) - 1; i >= 0; i--) this.#sink(i, this.#items[i]!);
  }
  #sink(start: number, item: T): void {
    const items = this.#items;
    const half = items.length >> 1;
    let i = start;
    while (i < half) {
      let child = 2 * i + 1;
      if (child + 1 < items.length && this.#before(items[child + 1]!, items[child]!)) child++;
      if (!this.#before(items[child]!, item)) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = item;
  }
}
