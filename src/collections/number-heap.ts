// A number heap: which item is due next, for as many items as there are runs.
const leastCapacity = 64;

/** Items by number, smallest first: a heap without an object per entry, since there may be one for each run. */
export class NumberHeap<T> {
  #numbers = new Float64Array(leastCapacity);
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }
  /** Infinity if it is empty. */
  get least(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#numbers[0]!;
  }
  push(number: number, item: T): void {
    const i = this.#items.length;
    if (i === this.#numbers.length) this.#resize(2 * i);
    this.#items.push(item);
    this.#rise(i, number, item);
  }
  /** The item with the smallest number. */
  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(0, this.#numbers[items.length]!, last!);
    if (items.length * 4 < this.#numbers.length && this.#numbers.length > leastCapacity)
      this.#resize(this.#numbers.length / 2);
    return first;
  }
  prune(isKept: (item: T, number: number) => boolean): void {
    const items = this.#items;
    let kept = 0;
    for (let i = 0; i < items.length; i++) {
      if (!isKept(items[i]!, this.#numbers[i]!)) continue;
      items[kept] = items[i]!;
      this.#numbers[kept++] = this.#numbers[i]!;
    }
    items.length = kept;
    for (let i = (kept >> 1) - 1; i >= 0; i--) this.#sink(i, this.#numbers[i]!, items[i]!);
  }
  #rise(start: number, number: number, item: T): void {
    const items = this.#items;
    const numbers = this.#numbers;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (numbers[parent]! <= number) break;
      numbers[i] = numbers[parent]!;
      items[i] = items[parent]!;
      i = parent;
    }
    numbers[i] = number;
    items[i] = item;
  }
  #sink(start: number, number: number, item: T): void {
    const items = this.#items;
    const numbers = this.#numbers;
    const half = items.length >> 1;
    let i = start;
    while (i < half) {
      let child = 2 * i + 1;
      if (child + 1 < items.length && numbers[child + 1]! < numbers[child]!) child++;
      if (numbers[child]! >= number) break;
      numbers[i] = numbers[child]!;
      items[i] = items[child]!;
      i = child;
    }
    numbers[i] = number;
    items[i] = item;
  }
  #resize(capacity: number): void {
    const numbers = new Float64Array(capacity);
    numbers.set(this.#numbers.subarray(0, Math.min(capacity, this.#numbers.length)));
    this.#numbers = numbers;
  }
}
