// Recent turns: which attempts a worker has had lately, in little memory.
import { hashOf } from "../collections/hash.ts";
import { slotOf } from "../collections/number-index.ts";
import type { Turn } from "../domain/run.ts";

/** With the key: a recreated stream counts from 1 again. */
export interface KeyedTurn extends Turn {
  readonly key: string;
}

/** Recently added turns, at least `remembered` of them, in arrays of numbers, which garbage collection does not scan. */
export class RecentTurns {
  readonly #remembered: number;
  /** The origins, 0 = free, and what tells turns of the same origin apart; two generations. */
  #origins: Float64Array;
  #marks: Int32Array;
  #originsBefore: Float64Array;
  #marksBefore: Int32Array;
  #size = 0;

  /** Units: `capacity` a power of two, well above `remembered` */
  constructor(remembered: number, capacity: number) {
    this.#remembered = remembered;
    this.#origins = new Float64Array(capacity);
    this.#originsBefore = new Float64Array(capacity);
    this.#marks = new Int32Array(capacity);
    this.#marksBefore = new Int32Array(capacity);
  }

  add(turn: KeyedTurn): void {
    const slot = slotOf(turn.origin, this.#origins);
    if (this.#origins[slot] === 0) this.#size++;
    this.#origins[slot] = turn.origin;
    this.#marks[slot] = markOf(turn);
    if (this.#size >= this.#remembered) this.#forgetOlder();
  }

  has(turn: KeyedTurn): boolean {
    return isIn(turn, this.#origins, this.#marks) || isIn(turn, this.#originsBefore, this.#marksBefore);
  }

  #forgetOlder(): void {
    [this.#origins, this.#originsBefore] = [this.#originsBefore, this.#origins];
    [this.#marks, this.#marksBefore] = [this.#marksBefore, this.#marks];
    this.#origins.fill(0);
    this.#size = 0;
  }
}

function isIn(turn: KeyedTurn, origins: Float64Array, marks: Int32Array): boolean {
  const slot = slotOf(turn.origin, origins);
  return origins[slot] === turn.origin && marks[slot] === markOf(turn);
}

const markOf = ({ key, turn }: KeyedTurn): number => hashOf(key) ^ turn;
