// A candidate: the engine of a process, with two connections of its own. The second one is only for the lease, which must be renewed even
// while a million entries of the log come through the first.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Log } from "../domain/log.ts";
import { makeEngine } from "../engine/engine.ts";
import type { RunningEngine } from "../engine/running-engine.ts";
import type { Monitor } from "../health/monitor.ts";
import { processName } from "../runtime/process.ts";
import type { Neighbours } from "../wire/neighbours.ts";
import type { FoundServer } from "./found-server.ts";
import { connectTo, openSession, type Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** `monitor` watches the connection of the engine; given by a process that is an engine and nothing else. */
export const startCandidate = (
  settings: Settings,
  server: FoundServer,
  mode: "warm" | "cold",
  log: Log,
  neighbours?: Neighbours,
  monitor?: Monitor,
): Effect.Effect<{ readonly engine: RunningEngine; readonly session: Session }, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const session = yield* openSession(settings, server, neighbours === undefined ? "dedicated engine" : "engine", log);
    monitor?.watch(session);
    const leaseLink = yield* connectTo(settings, server, "lease", log);
    const parts = { ...session, leaseLink, log, ...(neighbours && { neighbours }) };
    const { scheduler, nats } = settings;
    const { maxBytes, replicas } = nats;
    const engine = yield* makeEngine(parts, { mode, scheduler, maxBytes, replicas, process: processName() });
    return { engine, session };
  });
