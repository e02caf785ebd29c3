// The server's clock: the time of the server that stamps the log's entries, on a monotonic base. Engines and workers go by it, whatever the clock
// of their machine says (ADR 21).
import { formatDuration } from "../domain/duration.ts";
import type { Log } from "../domain/log.ts";

/** What the clock needs of a connection. */
export interface TimeSource {
  isConnected(): boolean;
  /** Asks the server for its time. Units: epoch milliseconds */
  ask(): Promise<number>;
}

/** How far the machine's clock may be off without a warning. */
const toldAboveMs = 1_000;
/** A clock that is ahead by no more than this is not set back: it stands still until it is right again. */
const longestStandMs = 1_000;
const measureEveryMs = 10_000;
const lookEveryMs = 1_000;
/** A larger change between the machine's two clocks means that one was set, or that the machine slept. */
const jumpMs = 500;

export class ServerClock {
  readonly #machine: () => number;
  readonly #monotonic: () => number;
  /** Added to the monotonic clock. Until the server has answered, that gives the machine's time. */
  #offset: number;
  #newest = 0;
  #isMeasured = false;
  /** When the server was last asked, and last answered, on the monotonic clock. */
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

  /** The time now, given a stamp of the server, which cannot be in the future. */
  nowAfter(stampMs: number): number {
    const now = this.now();
    if (now >= stampMs) return now;
    if (stampMs - now > longestStandMs) {
      this.#measureAgain(); // the server's clock was set, or this is not its stamp: it is asked before anybody believes it
      return now;
    }
    this.#offset += stampMs - now;
    return this.now();
  }

  /** How far the machine's clock is ahead of the server's; negative when it is behind. Units: milliseconds */
  get machineAheadMs(): number {
    return this.#machine() - this.now();
  }

  /** Follows the server's time until this clock is closed, and warns once if the machine's differs. Returns false if it follows one already. */
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

  /** Asks the server once. Returns whether it has answered. Never rejects. */
  measure(): Promise<boolean> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  /** Measures every 10 s, and at once if something has happened to the machine's clock. */
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

  /** The server has answered between the request and the arrival of its answer. An offset that agrees with that stays; any other is moved as little as needed. */
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
