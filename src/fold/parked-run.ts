import type { Blocked, Parked, Wait } from "../domain/durable.ts";

const noCursors: Parked["cursors"] = {};

/**
 * Where a durable run is parked: the last `parked` that counted, who sent it, and which turn it ended. Nothing else is kept for a run
 * that waits, and there may be millions: one object, and one more for the single wait that nearly all of them have.
 */
export class Flow {
  readonly lap: number;
  readonly ops: number;
  readonly #waits: Wait | readonly Wait[];
  readonly cursors: Parked["cursors"];
  readonly journalSeq: number;
  readonly blocked: Blocked | undefined;
  /** Its memory may still hold the run's frame. */
  readonly worker: string;
  readonly turn: number;

  constructor({ lap, ops, waits, cursors, journalSeq, blocked }: Parked, worker: string, turn: number) {
    this.lap = lap;
    this.ops = ops;
    this.#waits = waits.length === 1 ? waits[0]! : waits;
    this.cursors = Object.keys(cursors).length === 0 ? noCursors : cursors;
    this.journalSeq = journalSeq;
    this.blocked = blocked;
    this.worker = worker;
    this.turn = turn;
  }
  get waits(): readonly Wait[] {
    return "kind" in this.#waits ? [this.#waits] : this.#waits;
  }
  get parked(): Parked {
    const { lap, ops, waits, cursors, journalSeq, blocked } = this;
    return { lap, ops, waits, cursors, journalSeq, ...(blocked !== undefined && { blocked }) };
  }
}

/** A signal that the run's journal has not taken, as far as the log knows. Its data stays in the log. */
export interface PendingSignal {
  readonly name: string;
  readonly seq: number;
  /** On the server's clock. */
  readonly at: number;
}
