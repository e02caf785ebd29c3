// reactions/: runs that a leader creates because of the log or the clock. Imports the fold, and from matching only the commands.
import { Deque } from "../collections/deque.ts";
import type { Reaction } from "../domain/reaction.ts";
import type { Step } from "../matching/step.ts";

/**
 * A source of reactions with its stored cursor: a place in the log or a time.
 *
 * Past the cursor, the next leader creates runs again, and finds them under their ids. Up to the cursor nothing is created again, so
 * the cursor has to pass a cause before the run that it caused may be forgotten.
 */
export interface ReactionSource {
  /** Whether retention may forget the log up to there. If not, the source has its cursor moved, so that it soon may. */
  mayForget(upTo: number): boolean;
}

/** How many runs are created at a time. Each reads its cause from the log: an outage that fails a hundred thousand runs must not read all at once. */
const createdAtOnce = 64;

interface Owed {
  readonly reaction: Reaction;
  /** The run is stored, or was before; or it never will be, which has been logged. */
  readonly onStored: () => void;
}

/** The runs that a leader owes, and those on their way to the log. Created when this engine begins to lead, discarded when it stops. */
export class Reactions {
  readonly #step: Step;
  readonly #waiting = new Deque<Owed>();
  /** Runs on their way to the log, by the number of their command. */
  readonly #open = new Map<number, Owed>();
  #last = 0;

  constructor(step: Step) {
    this.#step = step;
  }
  owe(reaction: Reaction, onStored: () => void): void {
    const owed = { reaction, onStored };
    if (this.#open.size < createdAtOnce) this.#create(owed);
    else this.#waiting.push(owed);
  }
  /** The answer to a `react` command of this term. */
  reacted(n: number): void {
    const owed = this.#open.get(n);
    if (owed === undefined) return;
    this.#open.delete(n);
    owed.onStored();
    const next = this.#waiting.shift();
    if (next !== undefined) this.#create(next);
  }
  #create(owed: Owed): void {
    const n = ++this.#last;
    this.#open.set(n, owed);
    this.#step.commands.push({ type: "react", n, reaction: owed.reaction });
  }
}
