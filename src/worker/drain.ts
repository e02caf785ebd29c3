// How a worker ends: it accepts nothing more, finishes what executes, with heartbeats, gives back the rest, and stores all outcomes.
import * as Effect from "effect/Effect";
import type { LiveHost } from "./live-host.ts";
import type { Presence } from "./presence/presence.ts";
import type { Self } from "./self.ts";

/** How long outcomes may take to be stored after the code has ended. Units: milliseconds */
const storeWithinMs = 5_000;

/** `withinMs`: how long code that executes may go on. */
export const drained = (self: Self, host: LiveHost, presence: Presence, withinMs: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { executing, ahead, log, name } = self;
    const stored = Effect.promise(() => host.stored());
    self.isQuiet = true;
    log.info(`worker ${name} is draining`, { running: executing.size - ahead.size });
    ahead.giveBack();
    executing.leave();
    yield* Effect.promise(() => presence.beat());
    yield* Effect.timeoutOption(Effect.andThen(executing.ended, stored), withinMs);
    executing.stop();
    yield* Effect.timeoutOption(executing.ended, host.graceMs + 100);
    yield* Effect.timeoutOption(stored, storeWithinMs);
    host.close();
  });
