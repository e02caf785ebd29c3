// The worker's own limit. The engine never assigns more than the free slots; should it err all the same, this holds.
import { Effect, Semaphore } from "effect";

export class Slots {
  readonly size: number;
  readonly #permits: Semaphore.Semaphore;
  #taken = 0;

  constructor(size: number) {
    this.size = size;
    this.#permits = Semaphore.makeUnsafe(size);
  }

  get taken(): number {
    return this.#taken;
  }

  get areFull(): boolean {
    return this.#taken >= this.size;
  }

  /** Runs an effect while it holds a slot; the slot is free again when the effect has ended, however it ends. */
  hold<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    this.#taken += 1;
    return Effect.ensuring(
      this.#permits.withPermit(effect),
      Effect.sync(() => {
        this.#taken -= 1;
      }),
    );
  }
}
