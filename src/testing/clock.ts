// By what the delays of a test go.
import { longestTimerMs } from "../runtime/long-timer.ts";

/** What tells the time of a test worker. */
export interface Clock {
  /** Units: epoch milliseconds */
  now(): number;
  /** Calls back at this time, in a moment where it has passed; what the call returns may be waited for. Returns the function that calls it off. */
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

/** Nothing is waited for: whatever is to happen later happens in a moment, and then it is as late as it was to be. */
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

/** Calls back in a moment, unless it is called off. */
export function soon(act: () => unknown): { readonly done: Promise<unknown>; readonly callOff: () => void } {
  let isOff = false;
  const done = Promise.resolve().then(() => (isOff ? undefined : act()));
  const callOff = () => {
    isOff = true;
  };
  return { done, callOff };
}
