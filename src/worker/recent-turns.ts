// Recent turns: which attempts a worker has had lately, in little memory.
import { hashOf } from "../collections/hash.ts";
import { slotOf } from "../collections/number-index.ts";
import type { Turn } from "../domain/run.ts";

/** The key tells apart turns of different streams: in a recreated stream, origins count from 1 again. */
export interface KeyedTurn extends Turn {
  readonly key: string;
}

/** Remembers at least the last `remembered` turns, in arrays of numbers, which garbage collection does not scan. */
export class RecentTurns {
  readonly #remembered: number;
  /** The origins (0 is a free place) and marks that tell turns of the same origin apart, in two generations. */
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
