// A number index: a table of items by the origin of a run, where a `Map` would be too slow.
const leastCapacity = 64;
/** Multiplies such a number into a whole one. */
const scale = 4_096;
const highScale = scale / 2 ** 32;

/**
 * Items by positive numbers with a fraction of at most twelve bits: what a `Map` would do, several times as fast. A map takes the slow way
 * for keys that are not small integers, and creates a new table every few deletions.
 */
export class NumberIndex<T> {
  /** By slot; 0 = free. */
  #keys = new Float64Array(leastCapacity);
  #items: (T | undefined)[] = new Array<T | undefined>(leastCapacity).fill(undefined);
  #size = 0;
  /** Consecutive deletions after which it was nearly empty. */
  #sparse = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): T | undefined {
    return this.#items[slotOf(key, this.#keys)];
  }

  set(key: number, item: T): void {
    const slot = slotOf(key, this.#keys);
    this.#items[slot] = item;
    if (this.#keys[slot] === key) return;
    this.#keys[slot] = key;
    this.#size++;
    if (this.#size * 2 > this.#keys.length) this.#resize(this.#keys.length * 2);
  }

  delete(key: number): boolean {
    const slot = slotOf(key, this.#keys);
    if (this.#keys[slot] !== key) return false;
    this.#clear(slot);
    this.#size--;
    this.#shrinkInTime();
    return true;
  }

  /** All items, in no particular order. */
  values(): T[] {
    const items: T[] = [];
    for (const item of this.#items) if (item !== undefined) items.push(item);
    return items;
  }

  /** Not at once: items that come and go in bursts would make it grow again and again. */
  #shrinkInTime(): void {
    const capacity = this.#keys.length;
    if (this.#size * 16 >= capacity || capacity === leastCapacity) this.#sparse = 0;
    else if (++this.#sparse > capacity) this.#resize(Math.max(capacity / 4, leastCapacity));
  }

  /** Items that it had displaced move up, so that no search ends too early. */
  #clear(slot: number): void {
    const keys = this.#keys;
    const items = this.#items;
    const mask = keys.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; keys[next] !== 0; next = (next + 1) & mask) {
      keys[gap] = 0;
      const wanted = slotOf(keys[next]!, keys);
      if (wanted !== gap) continue;
      keys[gap] = keys[next]!;
      items[gap] = items[next];
      gap = next;
    }
    keys[gap] = 0;
    items[gap] = undefined;
  }

  #resize(capacity: number): void {
    const keys = this.#keys;
    const items = this.#items;
    this.#keys = new Float64Array(capacity);
    this.#items = new Array<T | undefined>(capacity).fill(undefined);
    this.#sparse = 0;
    for (let from = 0; from < keys.length; from++) {
      if (keys[from] === 0) continue;
      const slot = slotOf(keys[from]!, this.#keys);
      this.#keys[slot] = keys[from]!;
      this.#items[slot] = items[from];
    }
  }
}

/** Where a key is, or would be, in a table whose size is a power of two and which has free slots (0). */
export function slotOf(key: number, keys: Float64Array): number {
  const mask = keys.length - 1;
  // With the high bits too: whoever names numbers could choose them a million apart.
  const bits = ((key * scale) | 0) ^ Math.imul((key * highScale) | 0, 0x85ebca6b);
  let slot = Math.imul(bits, 0x9e3779b1) >>> Math.clz32(mask);
  while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}
