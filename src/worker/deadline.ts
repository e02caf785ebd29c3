// The execution timeout of one attempt: counted from the start of user code by a clock that nobody sets, movable by user code.

/** The longest wait that a timer of the runtime can hold; a longer one is waited for in parts. */
const longestTimerMs = 2 ** 31 - 1;

export class Deadline {
  readonly #onExpired: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #endsAt = 0;
  #isWatched = false;
  #allowedMs = 0;

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired;
  }

  /** What the attempt may take in all, extensions included. */
  get allowedMs(): number {
    return this.#allowedMs;
  }

  /** User code begins now. */
  begin(ms: number): void {
    this.#allowedMs = ms;
    this.#endsAt = performance.now() + ms;
  }

  /** Starts the timer; code that ends before it returns control never needs one. */
  watch(): void {
    this.#isWatched = true;
    this.#arm();
  }

  extend(ms: number): void {
    this.#allowedMs += ms;
    this.#endsAt += ms;
    if (this.#isWatched) this.#arm();
  }

  clear(): void {
    this.#isWatched = false;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const leftMs = this.#endsAt - performance.now();
    const expire = leftMs <= longestTimerMs ? this.#onExpired : () => this.#arm();
    this.#timer = setTimeout(expire, Math.min(Math.max(0, leftMs), longestTimerMs));
  }
}
