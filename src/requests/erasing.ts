// In which order finished runs are erased. It decides and does nothing by itself: the engine performs each deed on the store, the simulation in
// its world, and anything may happen in between. Every deed is safe to repeat.
import type { Fold } from "../fold/fold.ts";
import type { FoldedOutcome } from "../fold/log-events.ts";
import {
  isCovered,
  isEntryGone,
  isErasable,
  isGivenUp,
  isMarking,
  isMovable,
  type Origins,
  withoutErased,
} from "../housekeeping/erasure.ts";
import type { House } from "../housekeeping/house.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import type { EraseReply } from "../wire/verbs.ts";

/** An outcome entry, as it is now. A mark in it counts only from an engine. */
export interface OutcomesInPlace {
  readonly seq: number;
  readonly isByEngine: boolean;
  readonly outcomes: readonly FoldedOutcome[];
}

export type EraseDeed<E extends OutcomesInPlace> =
  /** Fold everything that is stored by now; after a pause, if what was done before may take a while. */
  | { readonly type: "fold"; readonly pauses: boolean }
  /** Give the scheduler the event, and wait until what it causes is done. */
  | { readonly type: "give"; readonly event: EraseEvent }
  /** Answer with all entries that say something of these runs. */
  | { readonly type: "find"; readonly origins: Origins }
  /** Put the rest of an entry in its place, so that there is always exactly one; purge it if that is nothing. Not at all if another is there by now. */
  | { readonly type: "rewrite"; readonly entry: E; readonly rest: E["outcomes"] }
  /** Remove what the other streams have of a run. */
  | { readonly type: "clear"; readonly key: string; readonly origin: number };

type EraseEvent = Extract<SchedulerEvent, { readonly type: "erase" | "cover" | "erased" }>;
type Deeds<E extends OutcomesInPlace, R = void> = Generator<EraseDeed<E>, R, readonly E[] | undefined>;

/** Entries are purged and moved by others as well. */
const tries = 10;
/** How often it pauses for what it cannot do itself. */
const mostPauses = 300;

const fold = { type: "fold", pauses: false } as const;
const unmoved = "the runs beside an erased one could not be moved; ask again";

/** One request: nothing of the finished ones is left when it ends. Fails: Error if that could not be done */
export class Erasing<E extends OutcomesInPlace> {
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
  }

  *erase(keys: readonly string[]): Deeds<E, EraseReply> {
    const { live, finished } = this.#house.fold;
    yield fold;
    const erased = keys.filter((key) => isErasable(this.#house, finished.get(key)));
    const origins: Origins = new Map(erased.map((key) => [key, finished.get(key)!.origin]));
    yield { type: "give", event: { type: "erase", keys: erased } };
    // A mark may have forgotten it meanwhile, and its id be that of another run: that one is not meant.
    const isIt = (key: string) => finished.get(key)?.origin === origins.get(key);
    const isStored = () => erased.every((key) => !isIt(key) || finished.get(key)!.isErased);
    yield* this.#until(isStored, "the erasure could not be stored; try again");
    yield* this.#passMark(() => !isMarking(this.#house));
    // Entries first: behind its outcomes, a duplicate's entry would look like a new run. A bundle is rewritten without them.
    const isGone = (state: Fold, key: string) => (finished.has(key) && !isIt(key)) || isEntryGone(state, key);
    yield* this.#repeat("erase", erased, isGone, "the entry of an erased run could not be removed; try again");
    const upTo = this.#house.fold.position; // what is said from here on may be missed
    yield* this.#eraseOutcomes(origins);
    for (const [key, origin] of origins) yield { type: "clear", key, origin };
    yield {
      type: "give",
      event: { type: "erased", keys: keys.filter((key) => !finished.has(key) || isIt(key)), upTo },
    };
    return {
      erased,
      live: keys.filter((key) => live.has(key) || (finished.has(key) && !origins.has(key))),
      unknown: keys.filter((key) => !live.has(key) && !finished.has(key)),
    };
  }

  *#eraseOutcomes(origins: Origins): Deeds<E> {
    for (let i = 0; i < tries; i++) {
      const found = origins.size === 0 ? [] : (yield { type: "find", origins })!;
      if (found.length === 0) return;
      yield fold; // it must know of the turns that end there
      for (const entry of found) yield* this.#rewrite(origins, entry);
      yield fold;
    }
    throw new Error("the outcomes of an erased run move faster than they can be erased; try again");
  }

  *#rewrite(origins: Origins, entry: E): Deeds<E> {
    const { seq } = entry;
    const { turns, finals, rest, givesUp } = withoutErased(this.#house.fold, origins, entry.outcomes);
    if (entry.isByEngine) yield* this.#passMark(() => isGivenUp(this.#house, givesUp));
    yield* this.#repeat("cover", turns, (state, key) => isCovered(state, key, seq), unmoved);
    yield* this.#repeat("cover", finals, (state, key) => isMovable(state, key, seq), unmoved);
    yield { type: "rewrite", entry, rest };
  }

  /** What is forgotten must not be moved behind the mark that says so. A new mark waits for what is being erased. */
  #passMark(isPassed: () => boolean): Deeds<E> {
    return this.#until(isPassed, "finished runs are being forgotten; try again");
  }

  *#until(isDone: () => boolean, otherwise: string): Deeds<E> {
    for (let i = 0; !isDone(); i++) {
      if (i === mostPauses) throw new Error(otherwise);
      yield { type: "fold", pauses: true };
    }
    yield fold;
  }

  /** Gives the scheduler the event until its work is done for all of them. */
  *#repeat(type: "erase" | "cover", keys: readonly string[], isDone: IsDone, otherwise: string): Deeds<E> {
    for (let i = 0; i < tries; i++) {
      const left = keys.filter((key) => !isDone(this.#house.fold, key));
      if (left.length === 0) return;
      yield { type: "give", event: { type, keys: left } };
      yield { type: "fold", pauses: i > 0 };
    }
    throw new Error(otherwise);
  }
}

type IsDone = (fold: Fold, key: string) => boolean;
