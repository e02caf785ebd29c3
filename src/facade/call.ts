// A call of the facade: its settings, its log, and errors that point to the user's line.
import { atCaller, rememberCaller } from "../domain/at-caller.ts";
import type { Log } from "../domain/log.ts";
import { logOf } from "./log.ts";
import type { Settings } from "./settings.ts";

/** A call of `connect`, `start` or `startEngine`. */
export interface Call {
  readonly settings: Settings;
  readonly log: Log;
  /** Throws what went wrong later, with the user's call in the stack. */
  readonly failed: (error: unknown) => never;
}

/** Options are checked before anything is opened, with an error at the user's line. `caller` must still be on the stack. */
export function readCall(caller: Function, read: () => Settings): Call {
  const settings = atCaller(caller, read);
  const shownToCaller = rememberCaller(caller);
  const failed = (error: unknown): never => {
    throw shownToCaller(error);
  };
  return { settings, log: logOf(settings), failed };
}
