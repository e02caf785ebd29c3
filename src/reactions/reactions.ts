// reactions/: runs that a leader creates because of the log or the clock. Imports the fold, and of matching only how commands are said.
import { Deque } from "../collections/deque.ts";
import type { Reaction } from "../domain/reaction.ts";
import type { Step } from "../matching/step.ts";

/**
 * Where reactions come from, and how far it has come: a cursor that is stored, a place in the log or a time.
 *
 * What lies ahead of the cursor is created again by the next leader, and found under its id. What lies behind it is never created again, so
 * the cursor has to pass a cause before the run that it caused may be forgotten.
 */
export interface ReactionSource {
  /** The run is stored, or was stored before; or it never will be, and that has been told. */
  reacted(reaction: Reaction): void;
}

/** Each reads what caused it from the log: an outage that fails a hundred thousand runs must not ask for all of them at once. */
const createdAtOnce = 64;

interface Owed {
  readonly reaction: Reaction;
  readonly source: ReactionSource;
}

/** What a leader owes, and what of it is on its way to the log. Made when this engine begins to lead, and thrown away when it ceases to. */
export class Reactions {
  readonly #step: Step;
  readonly #waiting = new Deque<Owed>();
  /** By number. */
  readonly #open = new Map<number, Owed>();
  #last = 0;

  constructor(step: Step) {
    this.#step = step;
  }
  owe(reaction: Reaction, source: ReactionSource): void {
    if (this.#open.size < createdAtOnce) this.#create({ reaction, source });
    else this.#waiting.push({ reaction, source });
  }
  /** The answer to a `react` command of this term. */
  reacted(n: number): void {
    const owed = this.#open.get(n);
    if (owed === undefined) return;
    this.#open.delete(n);
    owed.source.reacted(owed.reaction);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#create(next);
  }
  #create(owed: Owed): void {
    const n = ++this.#last;
    this.#open.set(n, owed);
    this.#step.commands.push({ type: "react", n, reaction: owed.reaction });
  }
}
