// A key index: a table of items that know their own text key, where a `Map` would need too much memory.
import { KeyHash } from "./hash.ts";

const blockBits = 10;
const blockSize = 1 << blockBits;
const leastCapacity = 64;

interface Block<T> {
  readonly items: (T | undefined)[];
  used: number;
}

/**
 * Items by key: what a `Map` would do, for millions of them.
 *
 * A map is one array: if a single entry has changed, the next garbage collection scans all of it.
 * Here the hashes are in arrays of numbers, which are never scanned, and the items in blocks, few of which change.
 * With `isOrdered` it is read in insertion order, and places are not reused.
 */
export class KeyIndex<T extends { readonly key: string }> {
  readonly #isOrdered: boolean;
  readonly #hash: KeyHash;
  /** Where the item of a slot stands, from 1; 0 = the slot is free. A slot holds its item's hash beside it. */
  #places = new Uint32Array(leastCapacity);
  #hashes = new Int32Array(leastCapacity);
  #blocks: (Block<T> | undefined)[] = [];
  /** How many earlier blocks are gone. */
  #dropped = 0;
  #next = 0;
  /** Places that can be reused. */
  readonly #free: number[] = [];
  #size = 0;

  constructor(isOrdered = false, hash = new KeyHash()) {
    this.#isOrdered = isOrdered;
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    const slot = this.#find(key, this.#hash.of(key));
    return slot < 0 ? undefined : this.#at(this.#places[slot]! - 1);
  }

  has(key: string): boolean {
    return this.#find(key, this.#hash.of(key)) >= 0;
  }

  /** Replaces the item that the key had, if any. */
  set(key: string, item: T): void {
    const hash = this.#hash.of(key);
    const slot = this.#find(key, hash);
    if (slot >= 0) {
      const place = this.#places[slot]! - 1;
      this.#blockOf(place)!.items[place & (blockSize - 1)] = item;
      return;
    }
    if (this.#size * 2 >= this.#places.length) this.#resize(this.#places.length * 2);
    this.#fill(hash, this.#put(item) + 1);
    this.#size++;
  }

  delete(key: string): boolean {
    const slot = this.#find(key, this.#hash.of(key));
    if (slot < 0) return false;
    this.#take(this.#places[slot]! - 1);
    this.#clear(slot);
    this.#size--;
    if (this.#size === 0) this.#reset();
    else if (this.#size * 8 < this.#places.length && this.#places.length > leastCapacity)
      this.#resize(this.#places.length / 2);
    return true;
  }

  /** Items deleted meanwhile are skipped, and items added meanwhile are included. */
  *values(): Generator<T> {
    for (let number = this.#dropped; number < this.#dropped + this.#blocks.length; number++) {
      const block = this.#blocks[number - this.#dropped];
      if (block === undefined) continue;
      for (let i = 0; i < block.items.length; i++) {
        const item = block.items[i];
        if (item !== undefined) yield item;
      }
    }
  }

  *keys(): Generator<string> {
    for (const { key } of this.values()) yield key;
  }

  /** The slot of a key, or -1. */
  #find(key: string, hash: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = places[slot]!;
      if (place === 0) return -1;
      if (this.#hashes[slot] === hash && this.#at(place - 1)!.key === key) return slot;
    }
  }

  #at(place: number): T | undefined {
    return this.#blockOf(place)!.items[place & (blockSize - 1)];
  }

  #blockOf(place: number): Block<T> | undefined {
    return this.#blocks[(place >>> blockBits) - this.#dropped];
  }

  #fill(hash: number, place: number): void {
    const mask = this.#places.length - 1;
    let slot = hash & mask;
    while (this.#places[slot] !== 0) slot = (slot + 1) & mask;
    this.#places[slot] = place;
    this.#hashes[slot] = hash;
  }

  /** Items that it had displaced move up, so that no search ends too early. */
  #clear(slot: number): void {
    const places = this.#places;
    const hashes = this.#hashes;
    const mask = places.length - 1;
    let gap = slot;
    for (let next = (gap + 1) & mask; places[next] !== 0; next = (next + 1) & mask) {
      const wanted = hashes[next]! & mask;
      if (((next - wanted) & mask) < ((next - gap) & mask)) continue;
      places[gap] = places[next]!;
      hashes[gap] = hashes[next]!;
      gap = next;
    }
    places[gap] = 0;
  }

  #resize(capacity: number): void {
    const places = this.#places;
    const hashes = this.#hashes;
    this.#places = new Uint32Array(capacity);
    this.#hashes = new Int32Array(capacity);
    for (let slot = 0; slot < places.length; slot++) if (places[slot] !== 0) this.#fill(hashes[slot]!, places[slot]!);
  }

  #put(item: T): number {
    const place = this.#free.pop() ?? this.#newPlace();
    const block = this.#blockOf(place)!;
    block.items[place & (blockSize - 1)] = item;
    block.used++;
    return place;
  }

  #newPlace(): number {
    if (this.#next === 2 ** 32 - 1) this.#renumber();
    const place = this.#next++;
    if ((place & (blockSize - 1)) === 0) this.#blocks.push({ items: [], used: 0 });
    return place;
  }

  #take(place: number): void {
    const block = this.#blockOf(place)!;
    block.items[place & (blockSize - 1)] = undefined;
    block.used--;
    if (!this.#isOrdered) this.#free.push(place);
    else if (block.used === 0 && block.items.length === blockSize) this.#drop(place >>> blockBits);
  }

  /** A block without items; leading ones leave the list. */
  #drop(number: number): void {
    this.#blocks[number - this.#dropped] = undefined;
    let first = 0;
    while (first < this.#blocks.length && this.#blocks[first] === undefined) first++;
    if (first * 2 < this.#blocks.length && first < blockSize) return;
    this.#blocks.splice(0, first);
    this.#dropped += first;
  }

  /** Once in four billion insertions. */
  #renumber(): void {
    const items = [...this.values()];
    this.#reset();
    for (const item of items) this.set(item.key, item);
  }

  /** As new: the memory that it needed at its largest is released. */
  #reset(): void {
    this.#places = new Uint32Array(leastCapacity);
    this.#hashes = new Int32Array(leastCapacity);
    this.#blocks = [];
    this.#dropped = 0;
    this.#next = 0;
    this.#free.length = 0;
    this.#size = 0;
  }
}
