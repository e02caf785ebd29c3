import { slotOfOrigin } from "./origin.ts";

const leastCapacity = 64;

/**
 * What is in hand, by the origin of its run: what a `Map` would do, several times as fast. A map takes the slow way for keys that are no
 * small integers, and leaves a new table behind for every few deletions.
 */
export class OriginIndex<T> {
  /** By slots, 0 = free. */
  #origins = new Float64Array(leastCapacity);
  #items: (T | undefined)[] = new Array<T | undefined>(leastCapacity).fill(undefined);
  #size = 0;
  /** Deletions in a row that left it nearly empty. */
  #sparse = 0;

  get size(): number {
    return this.#size;
  }

  get(origin: number): T | undefined {
    return this.#items[slotOfOrigin(origin, this.#origins)];
  }

  set(origin: number, item: T): void {
    const slot = slotOfOrigin(origin, this.#origins);
    this.#items[slot] = item;
    if (this.#origins[slot] === origin) return;
    this.#origins[slot] = origin;
    this.#size++;
    if (this.#size * 2 > this.#origins.length) this.#resize(this.#origins.length * 2);
  }

  delete(origin: number): boolean {
    const slot = slotOfOrigin(origin, this.#origins);
    if (this.#origins[slot] !== origin) return false;
    this.#clear(slot);
    this.#size--;
    this.#shrinkInTime();
    return true;
  }

  /** All items, in no order. */
  values(): T[] {
    const items: T[] = [];
    for (const item of this.#items) if (item !== undefined) items.push(item);
    return items;
  }

  /** Not at once: what comes and goes in bursts would have it grow again and again. */
  #shrinkInTime(): void {
    const capacity = this.#origins.length;
    if (this.#size * 16 >= capacity || capacity === leastCapacity) this.#sparse = 0;
    else if (++this.#sparse > capacity) this.#resize(Math.max(capacity / 4, leastCapacity));
  }

  /** Those behind it that were put off by it move up, so that no search ends too early. */
  #clear(slot: number): void {
    const origins = this.#origins;
    const items = this.#items;
    const mask = origins.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; origins[next] !== 0; next = (next + 1) & mask) {
      origins[gap] = 0;
      const wanted = slotOfOrigin(origins[next]!, origins);
      if (wanted !== gap) continue;
      origins[gap] = origins[next]!;
      items[gap] = items[next];
      gap = next;
    }
    origins[gap] = 0;
    items[gap] = undefined;
  }

  #resize(capacity: number): void {
    const origins = this.#origins;
    const items = this.#items;
    this.#origins = new Float64Array(capacity);
    this.#items = new Array<T | undefined>(capacity).fill(undefined);
    this.#sparse = 0;
    for (let from = 0; from < origins.length; from++) {
      if (origins[from] === 0) continue;
      const slot = slotOfOrigin(origins[from]!, this.#origins);
      this.#origins[slot] = origins[from]!;
      this.#items[slot] = items[from];
    }
  }
}
