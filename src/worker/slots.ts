// The worker's own limit. The engine never assigns more than the free slots; should it err all the same, this holds.
import { Effect, Semaphore } from "effect";

export class Slots {
  readonly size: number;
  readonly #permits: Semaphore.Semaphore;
  #taken = 0;
  #holders = 0;
  /** Held by those that go on without. */
  #lent = 0;

  constructor(size: number) {
    this.size = size;
    this.#permits = Semaphore.makeUnsafe(size);
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many hold slots. */
  get holders(): number {
    return this.#holders;
  }

  hasRoom(units: number): boolean {
    return this.#taken + units <= this.size;
  }

  /** A holder goes on without its slots: there are as many more until it has ended. */
  letGo(units: number): Effect.Effect<void> {
    this.#taken -= units;
    return this.#lend(units);
  }

  #lend(units: number): Effect.Effect<void> {
    this.#lent += units;
    return this.#permits.resize(this.size + this.#lent);
  }

  /** Runs an effect of a batch, whose first one holds the slots. */
  join<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    this.#holders += 1;
    return Effect.ensuring(
      effect,
      Effect.sync(() => {
        this.#holders -= 1;
      }),
    );
  }

  /** Runs an effect while it holds slots; they are free again when the effect has ended, however it ends. */
  hold<A, E, R>(
    units: number,
    holder: { readonly isSlotless: boolean },
    effect: Effect.Effect<A, E, R>,
  ): Effect.Effect<A, E, R> {
    this.#taken += units;
    this.#holders += 1;
    return Effect.ensuring(
      units === 1 ? this.#permits.withPermit(effect) : this.#permits.withPermits(units)(effect),
      Effect.suspend(() => {
        this.#holders -= 1;
        if (holder.isSlotless) return this.#lend(-units);
        this.#taken -= units;
        return Effect.void;
      }),
    );
  }
}
