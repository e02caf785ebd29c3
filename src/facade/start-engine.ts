// `startEngine`: a process that is an engine and nothing else.
import * as Effect from "effect/Effect";
import type { EngineState } from "../engine/running-engine.ts";
import { serveHealth } from "../health/server.ts";
import { assertRunsWorkers } from "../runtime/process.ts";
import { bannerOf } from "./banner.ts";
import { readCall } from "./call.ts";
import { startCandidate } from "./candidate.ts";
import { findServer } from "./find-server.ts";
import { assertEngineOptions } from "./known-settings.ts";
import { Lifetime } from "./lifetime.ts";
import { resolveSettings, type StartOptions } from "./settings.ts";
import type { Stoppable } from "./stoppable.ts";

/** A dedicated engine. */
export interface RunningEngineProcess extends Stoppable {
  /** Id of the engine. */
  readonly id: string;
  /** Whether it leads, or stands by. */
  readonly state: EngineState;
  /** Where `/live`, `/ready` and `/metrics` are; undefined without `health`. */
  readonly healthUrl: string | undefined;
  /** Resolves as soon as it leads. */
  whenLeading(): Promise<void>;
}

/** Starts a dedicated engine. While standing by it keeps the state of all runs in memory, so it can lead at once. */
export async function startEngine(
  options: Omit<StartOptions, "engine" | "scan" | "middleware"> = {},
): Promise<RunningEngineProcess> {
  const { settings, log, failed } = readCall(startEngine, () => {
    assertRunsWorkers("startEngine()");
    assertEngineOptions(options);
    return resolveSettings(options);
  });
  const lifetime = new Lifetime(options.signals !== false);
  const build = Effect.gen(function* () {
    const health = settings.health && (yield* serveHealth(settings.health, log));
    const monitor = health?.monitor;
    const server = yield* findServer(settings, log);
    const { engine, session } = yield* startCandidate(settings, server, "warm", log, undefined, monitor);
    yield* server.tend(session.store);
    log.info(bannerOf(settings, server));
    if (monitor !== undefined) Object.assign(monitor, { engine, isStarted: true });
    return { engine, healthUrl: health?.url };
  });
  const { engine, healthUrl } = await lifetime.open(build).catch(failed);
  log.debug("engine stands by", { engine: engine.id, namespace: settings.nats.namespace });
  return {
    ...lifetime.stoppable,
    id: engine.id,
    healthUrl,
    get state() {
      return engine.state;
    },
    whenLeading: () => engine.whenLeading(),
  };
}
