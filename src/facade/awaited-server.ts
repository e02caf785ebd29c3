// The awaited server: one that another process may be about to start.
import * as Effect from "effect/Effect";
import { ServerNotRunning } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";

const lookAgainMs = 200;
const tellAfterMs = 700;
const patienceMs = 5_000;

/** Waits a moment for a server, and logs it: an application that starts together with `natchet dev` is often ahead of the server. */
export const whenItRuns = <A, R>(finding: Effect.Effect<A, Error, R>, log: Log): Effect.Effect<A, Error, R> =>
  Effect.suspend(() => {
    const since = performance.now();
    let isTold = false;
    const lookAgain = (error: Error): Effect.Effect<A, Error, R> => {
      const waitedMs = performance.now() - since;
      if (!(error instanceof ServerNotRunning) || waitedMs > patienceMs) return Effect.fail(error);
      if (!isTold && waitedMs > tellAfterMs) {
        isTold = true;
        log.warn(`waiting for a server: ${error.message}`);
      }
      return finding.pipe(Effect.delay(lookAgainMs), Effect.catch(lookAgain));
    };
    return finding.pipe(Effect.catch(lookAgain));
  });
