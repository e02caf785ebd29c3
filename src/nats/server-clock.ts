// The time of the server that stamps the log's entries, on a monotonic base: engines and workers use it, whatever the clock
// of their machine says.
import { formatDuration } from "../domain/duration.ts";
import type { Log } from "../domain/log.ts";

/** What the clock needs of a connection. */
export interface TimeSource {
  isConnected(): boolean;
  /** Asks the server. Units: what it says in epoch milliseconds */
  ask(): Promise<number>;
}

/** How far the machine's clock may be off before a warning. */
const toldAboveMs = 1_000;
/** Below that, the clock is not set back: it stands still until it is right again. */
const longestStandMs = 1_000;
const measureEveryMs = 10_000;
const lookEveryMs = 1_000;
/** A jump of the machine's clock, or a sleep of the machine. */
const jumpMs = 500;

export class ServerClock {
  readonly #machine: () => number;
  readonly #monotonic: () => number;
  /** Added to the monotonic clock. Until the server has answered, the result is the machine's time. */
  #offset: number;
  #newest = 0;
  #isMeasured = false;
  /** On the monotonic clock. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #measuring: Promise<boolean> | undefined;
  #source: TimeSource | undefined;
  #log: Log | undefined;
  #machineOffset: number;
  #isTold = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(machine: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.#machine = machine;
    this.#monotonic = monotonic;
    this.#machineOffset = this.#offset = machine() - monotonic();
  }

  /** Never goes backwards, unless the server's own clock was set back. Units: whole epoch milliseconds */
  now(): number {
    const time = Math.floor(this.#monotonic() + this.#offset);
    if (time < this.#newest && this.#newest - time <= longestStandMs) return this.#newest;
    this.#newest = time;
    return time;
  }

  /** The time now, given a stamp of the server that cannot be in the future. */
  nowAfter(stampMs: number): number {
    const now = this.now();
    if (now >= stampMs) return now;
    if (stampMs - now > longestStandMs) {
      this.#measureAgain(); // the server's clock was set, or this is not its stamp: ask before believing it
      return now;
    }
    this.#offset += stampMs - now;
    return this.now();
  }

  /** How far the machine's clock is ahead of the server's; negative when it is behind. Units: milliseconds */
  get machineAheadMs(): number {
    return this.#machine() - this.now();
  }

  /** Follows the server's time until it is closed; warns once if the machine's clock differs. False if it already follows. */
  follow(source: TimeSource, log: Log): boolean {
    if (this.#source !== undefined) return false;
    this.#source = source;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    (this.#timer as { unref?: () => void }).unref?.();
    return true;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source = undefined;
  }

  /** Asks the server once; false if it did not answer. Never rejects. */
  measure(): Promise<boolean> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  /** Not more often than every 10 s, unless something has happened to the clock. */
  #look(): void {
    const machineOffset = this.#machine() - this.#monotonic();
    const hasJumped = Math.abs(machineOffset - this.#machineOffset) > jumpMs;
    this.#machineOffset = machineOffset;
    if (hasJumped || this.#monotonic() - this.#answeredAt >= measureEveryMs) this.#measureAgain();
  }

  #measureAgain(): void {
    if (this.#source?.isConnected() !== true || this.#monotonic() - this.#askedAt < lookEveryMs / 2) return;
    void this.measure();
  }

  /** The answer was given between request and arrival: an offset consistent with that is kept, any other moved as little as needed. */
  async #measure(): Promise<boolean> {
    const source = this.#source;
    if (source === undefined) return false;
    const askedAt = this.#monotonic();
    this.#askedAt = askedAt;
    let server: number;
    try {
      server = await source.ask();
    } catch {
      return false; // asked again in a moment
    }
    const heardAt = this.#monotonic();
    this.#answeredAt = heardAt;
    if (!Number.isFinite(server)) return false;
    const [earliest, latest] = [server - heardAt, server + 1 - askedAt];
    this.#offset = this.#isMeasured ? Math.min(Math.max(this.#offset, earliest), latest) : (earliest + latest) / 2;
    this.#isMeasured = true;
    this.#tell();
    return true;
  }

  #tell(): void {
    const aheadMs = this.machineAheadMs;
    const isOff = Math.abs(aheadMs) > toldAboveMs;
    if (isOff && !this.#isTold) {
      const how = `${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"}`;
      this.#log?.warn(`this machine's clock is ${how} the NATS server's; natchet goes by the server's`, { aheadMs });
    }
    this.#isTold = isOff;
  }
}
