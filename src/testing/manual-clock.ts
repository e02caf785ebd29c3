// A clock that a test moves by hand.
import { type DurationInput, parseDuration } from "../domain/duration.ts";
import { assertKnownOptions } from "../domain/known-options.ts";
import { assertTime, shownTime } from "../domain/time.ts";
import { type Clock, soon } from "./clock.ts";

/** Where a manual clock begins. */
export interface ManualClockOptions {
  /** What the clock shows first. @default the time of the machine */
  readonly start?: Date | number;
  /** How long, in real time, the clock waits at each step for attempts that do not end, for example because they wait for a later moment. @default "1s" */
  readonly patience?: DurationInput;
}

interface Appointment {
  readonly at: number;
  readonly act: () => unknown;
}

/** Real time between two checks of ongoing work. */
const sliceMs = 10;

/** A clock that stands still until it is moved, see {@link manualClock}. */
export class ManualClock implements Clock {
  #now: number;
  readonly #slices: number;
  /** The appointments, in the order in which they were made. */
  readonly #appointments = new Set<Appointment>();
  readonly #working = new Set<Promise<unknown>>();
  /** Work that outlasted the clock's patience and is not waited for again. */
  readonly #outlasting = new WeakSet<Promise<unknown>>();
  /** The requested steps, one after another. */
  #moving: Promise<void> = Promise.resolve();

  constructor(options: ManualClockOptions = {}) {
    assertKnownOptions(options, { options: ["start", "patience"], of: "manualClock" });
    const { start = Date.now(), patience = "1s" } = options;
    this.#now = timeOf(start, "manualClock: start");
    this.#slices = Math.ceil(parseDuration(patience, "manualClock: patience") / sliceMs);
  }

  now(): number {
    return this.#now;
  }

  /** When something happens next; undefined if nothing will. Units: epoch milliseconds */
  get next(): number | undefined {
    return this.#earliest()?.at;
  }

  at(timeMs: number, act: () => unknown): () => void {
    if (timeMs <= this.#now) {
      const { done, callOff } = soon(act);
      this.#attend(done);
      return callOff;
    }
    const appointment = { at: timeMs, act };
    this.#appointments.add(appointment);
    return () => this.#appointments.delete(appointment);
  }

  /**
   * Moves the time forward, from one due event to the next, and at each lets the attempts that begin there end first.
   *
   * Resolves when all of it has happened. `advance(0)` only waits for ongoing work.
   *
   * Fails: TypeError, RangeError for anything that is not a duration
   * @example
   * ```ts
   * await clock.advance("1h30m")
   * ```
   */
  async advance(by: DurationInput): Promise<void> {
    const ms = parseDuration(by, "advance");
    return this.#move(() => this.#now + ms);
  }

  /** Moves the clock forward to this time. Fails: TypeError, RangeError for a time that has passed */
  async advanceTo(time: Date | number): Promise<void> {
    const at = timeOf(time, "advanceTo");
    return this.#move(() => {
      if (at >= this.#now) return at;
      const [asked, shown] = [at, this.#now].map(shownTime);
      throw new RangeError(
        `advanceTo: ${asked} has passed, the clock shows ${shown}; it only moves on, for example advance("1h")`,
      );
    });
  }

  #move(targetOf: () => number): Promise<void> {
    const moved = this.#moving.then(() => this.#moveTo(targetOf()));
    this.#moving = moved.catch(() => {}); // the caller gets the error
    return moved;
  }

  async #moveTo(target: number): Promise<void> {
    for (;;) {
      await this.#settle();
      const next = this.#earliest();
      if (next === undefined || next.at > target) break;
      this.#appointments.delete(next);
      this.#now = next.at;
      this.#attend(soon(next.act).done);
    }
    this.#now = target;
  }

  #earliest(): Appointment | undefined {
    let earliest: Appointment | undefined;
    for (const each of this.#appointments) if (earliest === undefined || each.at < earliest.at) earliest = each;
    return earliest;
  }

  #attend(work: Promise<unknown>): void {
    this.#working.add(work);
    const end = () => this.#working.delete(work);
    work.then(end, (error) => {
      end();
      throw error; // an error that nobody handles must not be lost
    });
  }

  /** Waits until no work is left but what outlasts the clock's patience. Patience is counted in checks, so that a slow machine gets more time. */
  async #settle(): Promise<void> {
    for (let slices = 0; ; ) {
      await pause(0); // work that has just ended may have begun more
      const working = [...this.#working].filter((work) => !this.#outlasting.has(work));
      if (working.length === 0) return;
      const ended = await Promise.race([
        Promise.allSettled(working).then(() => true),
        pause(sliceMs).then(() => false),
      ]);
      if (ended || ++slices < this.#slices) continue;
      for (const work of working) this.#outlasting.add(work);
      return;
    }
  }
}

/**
 * Makes a clock that stands still until it is moved: delays, retries, `RetryLater`, `reschedule` and timeouts of a test worker use it.
 *
 * Task code that reads the machine's clock still gets real time.
 *
 * @example
 * ```ts
 * const t = testWorker(EmailWorker, { clock: manualClock({ start: new Date("2030-01-01T00:00:00Z") }) })
 * ```
 */
export const manualClock = (options?: ManualClockOptions): ManualClock => new ManualClock(options);

const timeOf = (time: Date | number, where: string): number =>
  assertTime(time instanceof Date ? time.getTime() : typeof time === "number" ? time : Number.NaN, time, where);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
