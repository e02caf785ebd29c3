import { Effect } from "effect";
import { type EngineState, makeEngine } from "../engine/engine.ts";
import { exitProcess, onStopSignal } from "../runtime/process.ts";
import { makeLog } from "./log.ts";
import { openScope } from "./running-scope.ts";
import { findServer, openSession } from "./session.ts";
import { resolveSettings, type StartOptions } from "./settings.ts";

/** A dedicated engine. */
export interface RunningEngineProcess {
  readonly id: string;
  readonly state: EngineState;
  /** Resolves as soon as it leads. */
  whenLeading(): Promise<void>;
  /** Hands over to a standby and closes. */
  stop(): Promise<void>;
  readonly stopped: Promise<void>;
}

/** Starts a dedicated engine: it folds the log while it stands by, and leads at once when it is its turn. */
export async function startEngine(options: Omit<StartOptions, "engine" | "scan"> = {}): Promise<RunningEngineProcess> {
  const settings = resolveSettings(options);
  const log = makeLog(settings.log);
  const build = Effect.gen(function* () {
    const url = yield* findServer(settings, log);
    const session = yield* openSession(settings, url, "engine", log);
    return yield* makeEngine(
      { ...session, log },
      { mode: "warm", scheduler: settings.scheduler, maxBytes: settings.nats.maxBytes },
    );
  });
  const { value: engine, close } = await openScope(build);
  log.info("engine stands by", { engine: engine.id, namespace: settings.nats.namespace });
  let tellStopped = () => {};
  const stopped = new Promise<void>((resolve) => {
    tellStopped = resolve;
  });
  const stop = async () => {
    await close();
    ignoreSignals();
    tellStopped();
  };
  const ignoreSignals =
    options.signals === false ? () => {} : onStopSignal(() => void stop().then(() => exitProcess(0)));
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
