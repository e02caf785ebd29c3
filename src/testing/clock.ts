// The clock for the delays of a test.
import { longestTimerMs } from "../runtime/long-timer.ts";

/** The clock of a test worker. */
export interface Clock {
  /** Units: epoch milliseconds */
  now(): number;
  /** Calls back at this time, or in a moment if it has passed; the call's result may be awaited. Returns a function that cancels it. */
  at(timeMs: number, act: () => unknown): () => void;
}

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at: (timeMs, act) => {
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const ms = timeMs - Date.now();
      timer = ms > longestTimerMs ? setTimeout(wait, longestTimerMs) : setTimeout(act, Math.max(0, ms));
    };
    wait();
    return () => clearTimeout(timer);
  },
};

/** A clock that waits for nothing: whatever is due later happens in a moment, and the clock then shows the time at which it was due. */
export class SkippingClock implements Clock {
  #skippedMs = 0;

  now(): number {
    return Date.now() + this.#skippedMs;
  }
  at(timeMs: number, act: () => unknown): () => void {
    return soon(() => {
      this.#skippedMs += Math.max(0, timeMs - this.now());
      return act();
    }).callOff;
  }
}

/** Calls back in a moment, unless it is cancelled before. */
export function soon(act: () => unknown): { readonly done: Promise<unknown>; readonly callOff: () => void } {
  let isOff = false;
  const done = Promise.resolve().then(() => (isOff ? undefined : act()));
  const callOff = () => {
    isOff = true;
  };
  return { done, callOff };
}
