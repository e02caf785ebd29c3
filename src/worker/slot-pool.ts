// The slot pool: the worker's own limit for the code that executes at a time. It holds whatever an engine assigns.

/** A plain count: nobody awaits a slot here. Only {@link SlotPool.take} and the holds that it returns change it. */
export class SlotPool {
  readonly size: number;
  #free: number;

  constructor(size: number) {
    this.size = size;
    this.#free = size;
  }

  /** Whether more than half of the slots are taken. */
  get isShort(): boolean {
    return this.#free * 2 < this.size;
  }

  /** Takes slots; undefined if fewer are free. */
  take(units: number): Hold | undefined {
    if (units > this.#free) return undefined;
    this.#free -= units;
    return new Hold(this, units);
  }

  /** Called once by each hold. */
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

  /** Frees the slots at once; the members continue without them. */
  letGo(): void {
    this.#slots.give(this.#units);
    this.#units = 0;
  }
}
