/** Rings once, at the earliest of the times that it was set to. */
export class Alarm {
  readonly #ring: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** On the clock of `performance.now`. */
  #ringsAt = 0;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  setIn(ms: number): void {
    const ringsAt = performance.now() + ms;
    if (this.#timer !== undefined && this.#ringsAt <= ringsAt) return;
    clearTimeout(this.#timer);
    this.#ringsAt = ringsAt;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ring();
    }, ms);
  }

  off(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
