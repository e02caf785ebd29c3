// The order in which finished runs are erased. This only decides: the engine performs each deed on the store, and the simulation in its world.
// Anything may happen between two deeds, and every deed is safe to repeat.
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

/** An outcome entry as it is stored now. A mark in it counts only if an engine wrote it. */
export interface OutcomesInPlace {
  readonly seq: number;
  readonly isByEngine: boolean;
  readonly outcomes: readonly FoldedOutcome[];
}

export type EraseDeed<E extends OutcomesInPlace> =
  /** Fold everything that is stored by now; `pauses`: after a pause, because what is waited for may take a while. */
  | { readonly type: "fold"; readonly pauses: boolean }
  /** Give the scheduler the event, and wait until what it causes is done. */
  | { readonly type: "give"; readonly event: EraseEvent }
  /** Answer with all outcome entries that say something of these runs. */
  | { readonly type: "find"; readonly origins: Origins }
  /** Replace an entry by its rest, or purge it if nothing is left. An entry that has taken its place meanwhile stays. */
  | { readonly type: "rewrite"; readonly entry: E; readonly rest: E["outcomes"] }
  /** Remove the transcript, the signals and the journal of a run. */
  | { readonly type: "clear"; readonly key: string; readonly origin: number };

type EraseEvent = Extract<SchedulerEvent, { readonly type: "erase" | "cover" | "erased" }>;
type Deeds<E extends OutcomesInPlace, R = void> = Generator<EraseDeed<E>, R, readonly E[] | undefined>;

/** How often a step is tried: others purge and move entries as well. */
const tries = 10;
/** How often it pauses while it waits for what others do. */
const mostPauses = 300;

const fold = { type: "fold", pauses: false } as const;
const unmoved = "the runs beside an erased one could not be moved; ask again";

/** One request to erase runs: when it ends, nothing is left of those that had finished. Fails: Error if that could not be done */
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
    // A mark may have forgotten the run meanwhile. Another run that has its id by then is not meant.
    const isIt = (key: string) => finished.get(key)?.origin === origins.get(key);
    const isStored = () => erased.every((key) => !isIt(key) || finished.get(key)!.isErased);
    yield* this.#until(isStored, "the erasure could not be stored; try again");
    yield* this.#passMark(() => !isMarking(this.#house));
    // The runs' entries go before their outcomes: without outcomes, a duplicate's entry would look like a new run. A bundle is rewritten.
    const isGone = (state: Fold, key: string) => (finished.has(key) && !isIt(key)) || isEntryGone(state, key);
    yield* this.#repeat("erase", erased, isGone, "the entry of an erased run could not be removed; try again");
    const upTo = this.#house.fold.position; // outcomes that are stored after this may be missed
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
      yield fold; // the fold must know of the turns that end in these entries
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

  /** Waits for a mark: what it forgets must not be moved behind it. A new mark waits until the erase is over. */
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

  /** Gives the scheduler the event until it is done for all of these runs. */
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
