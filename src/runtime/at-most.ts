// A wait that does not go on for ever.
import { afterMs } from "./long-timer.ts";

/** Waits for something, but not longer than `ms`. */
export function atMost(ms: number, something: Promise<unknown> | undefined): Promise<void> {
  return new Promise((resolve) => {
    const callOff = afterMs(ms, resolve);
    void Promise.resolve(something).then(() => {
      callOff();
      resolve();
    });
  });
}
