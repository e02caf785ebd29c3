import { Effect } from "effect";
import type { EngineState } from "../engine/engine.ts";
import { startCandidate } from "./candidate.ts";
import { makeLog } from "./log.ts";
import { openScope } from "./running-scope.ts";
import { findServer } from "./session.ts";
import { resolveSettings, type StartOptions } from "./settings.ts";
import { makeStoppable, type Stoppable } from "./stoppable.ts";

/** A dedicated engine. */
export interface RunningEngineProcess extends Stoppable {
  readonly id: string;
  readonly state: EngineState;
  /** Resolves as soon as it leads. */
  whenLeading(): Promise<void>;
}

/** Starts a dedicated engine: it folds the log while it stands by, and leads at once when it is its turn. */
export async function startEngine(options: Omit<StartOptions, "engine" | "scan"> = {}): Promise<RunningEngineProcess> {
  const settings = resolveSettings(options);
  const log = makeLog(settings.log);
  const build = Effect.gen(function* () {
    const url = yield* findServer(settings, log);
    return yield* startCandidate(settings, url, "warm", log);
  });
  const { value: engine, close } = await openScope(build);
  log.info("engine stands by", { engine: engine.id, namespace: settings.nats.namespace });
  const { stop, stopped } = makeStoppable(close, options.signals !== false);
  return {
    id: engine.id,
    get state() {
      return engine.state;
    },
    whenLeading: () => engine.whenLeading(),
    stop,
    stopped,
  };
}
