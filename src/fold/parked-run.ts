// A flow: where a durable run is parked, or was last. And the signals that such a run may take.
import type { Blocked, Parked, Wait } from "../domain/durable.ts";

/** One string for the same text. */
type Once = (text: string) => string;

const noCursors: Parked["cursors"] = {};

/**
 * The last `parked` outcome that counted, who sent it, and which turn it ended. Nothing else is kept for a parked run, and there may be
 * millions: eight fields, 80 bytes.
 */
export class Flow {
  readonly lap: number;
  readonly ops: number;
  /** The only wait of nearly all runs is that of the op opened last: its deadline, or the name of its signal, says it all. */
  readonly #waits: number | string | readonly Wait[];
  readonly cursors: Parked["cursors"];
  readonly journalSeq: number;
  readonly blocked: Blocked | undefined;
  /** The worker that parked the run: its memory may still hold the run's frame. */
  readonly worker: string;
  readonly turn: number;

  constructor(parked: Parked, worker: string, turn: number, once: Once) {
    const { lap, ops, waits, cursors, journalSeq, blocked } = parked;
    this.lap = lap;
    this.ops = ops;
    this.#waits = shortened(waits, ops - 1, once);
    this.cursors = Object.keys(cursors).length === 0 ? noCursors : cursors;
    this.journalSeq = journalSeq;
    this.blocked = blocked;
    this.worker = worker;
    this.turn = turn;
  }
  get waits(): readonly Wait[] {
    const ordinal = this.ops - 1;
    if (typeof this.#waits === "number") return [{ kind: "timer", ordinal, deadline: this.#waits }];
    return typeof this.#waits === "string" ? [{ kind: "signal", ordinal, name: this.#waits }] : this.#waits;
  }
  get parked(): Parked {
    const { lap, ops, waits, cursors, journalSeq, blocked } = this;
    return { lap, ops, waits, cursors, journalSeq, ...(blocked !== undefined && { blocked }) };
  }
}

function shortened(waits: readonly Wait[], last: number, once: Once): number | string | readonly Wait[] {
  const [wait] = waits;
  if (waits.length !== 1 || wait?.ordinal !== last || wait.kind === "children") return waits;
  return wait.kind === "timer" ? wait.deadline : once(wait.name);
}

/** A signal that the run's journal has not taken, as far as the log knows. Its data stays in the log. */
export interface PendingSignal {
  readonly name: string;
  readonly seq: number;
  /** On the server's clock. */
  readonly at: number;
}
