// The worker's own limit. The engine never assigns more than the free slots; if it ever does, this still holds.

/** Plain, since nobody waits for a slot: a run without one is refused. Changed only by {@link SlotPool.take} and the hold it returns. */
export class SlotPool {
  readonly size: number;
  #free: number;

  constructor(size: number) {
    this.size = size;
    this.#free = size;
  }

  /** Most are taken. */
  get isShort(): boolean {
    return this.#free * 2 < this.size;
  }

  /** Undefined if fewer are free. */
  take(units: number): Hold | undefined {
    if (units > this.#free) return undefined;
    this.#free -= units;
    return new Hold(this, units);
  }

  /** Called by a hold, once. */
  give(units: number): void {
    this.#free += units;
  }
}

/** Slots that an attempt holds by itself, or the members of a batch together. */
export class Hold {
  readonly #slots: SlotPool;
  #units: number;
  #members = 0;

  constructor(slots: SlotPool, units: number) {
    this.#slots = slots;
    this.#units = units;
  }

  join(): void {
    this.#members += 1;
  }

  /** The last member gives the slots back. */
  leave(): void {
    this.#members -= 1;
    if (this.#members === 0) this.letGo();
  }

  /** The slots are free at once; the members continue without. */
  letGo(): void {
    this.#slots.give(this.#units);
    this.#units = 0;
  }
}
