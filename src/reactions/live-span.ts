/** If the wall clock and the monotonic one differ by more, the machine slept, or its clock was set. */
const jumpMs = 5_000;
/** An engine that does nothing for longer than this was not alive. */
const longestPauseMs = 60_000;

/** Since when an engine has been alive without a break, also as a standby. Units: milliseconds; `now` of the epoch, `uptime` never jumps */
export class LiveSpan {
  /** Epoch milliseconds. */
  since: number;
  readonly #now: () => number;
  readonly #uptime: () => number;
  #seen: { readonly now: number; readonly uptime: number };

  constructor(now: () => number, uptime: () => number) {
    this.#now = now;
    this.#uptime = uptime;
    this.since = now();
    this.#seen = { now: this.since, uptime: uptime() };
  }

  /** Called at least every few seconds while the engine is alive. */
  beat(): void {
    const [now, uptime] = [this.#now(), this.#uptime()];
    const own = uptime - this.#seen.uptime;
    if (Math.abs(now - this.#seen.now - own) > jumpMs || own > longestPauseMs) this.since = now;
    this.#seen = { now, uptime };
  }
}
