// The first of many: what a page of a list needs, without sorting all of it.
import { Heap } from "./heap.ts";

/** Keeps the first `limit` of many items in some order; most of the others cost one comparison. */
export class First<T> {
  readonly #limit: number;
  readonly #before: (a: T, b: T) => boolean;
  /** The heap has the last of the kept items on top. */
  readonly #kept: Heap<T>;
  /** Some items were not kept. */
  isCut = false;

  constructor(limit: number, before: (a: T, b: T) => boolean) {
    this.#limit = limit;
    this.#before = before;
    this.#kept = new Heap((a, b) => before(b, a));
  }

  add(item: T): void {
    const kept = this.#kept;
    if (kept.size === this.#limit) {
      this.isCut = true;
      const last = kept.first();
      if (last === undefined || !this.#before(item, last)) return;
      kept.pop();
    }
    kept.push(item);
  }

  sorted(): T[] {
    return [...this.#kept].sort((a, b) => (this.#before(a, b) ? -1 : 1));
  }
}
