// What a worker process opens, in the order of dependency; the scope closes it newest first.
import { pathToFileURL, URL } from "node:url";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { findFiles } from "../discovery.ts";
import type { Log } from "../domain/log.ts";
import type { WorkerDefinition } from "../domain/worker.ts";
import type { RunningEngine } from "../engine/running-engine.ts";
import { serveHealth } from "../health/server.ts";
import { makePublisher } from "../nats/publisher.ts";
import { makeTranscriptStore } from "../nats/transcripts.ts";
import { isSupervised } from "../runtime/environment.ts";
import { processName, runtimeName } from "../runtime/process.ts";
import { Neighbours } from "../wire/neighbours.ts";
import { Heart } from "../worker/heart/heart.ts";
import type { RunningWorker } from "../worker/running-worker.ts";
import { ThreadPool } from "../worker/threads/thread-pool.ts";
import { makeWorker } from "../worker/worker.ts";
import { bannerOf } from "./banner.ts";
import { startCandidate } from "./candidate.ts";
import { tasksOfClass } from "./connect.ts";
import { findServer } from "./find-server.ts";
import { optionsFor } from "./found-server.ts";
import { openSession, type Session } from "./session.ts";
import type { Settings, StartOptions } from "./settings.ts";
import { hearUnhandled, type Unhandled } from "./unhandled.ts";
import { version } from "./version.ts";

interface WorkerProcess {
  readonly settings: Settings;
  readonly options: StartOptions;
  readonly definitions: readonly WorkerDefinition[];
  readonly log: Log;
  /** Drains the workers, and then ends the process with code 1. */
  readonly exit: () => void;
}

export interface OpenWorkers {
  readonly engine: RunningEngine | undefined;
  readonly session: Session;
  readonly workers: readonly RunningWorker[];
  readonly healthUrl: string | undefined;
}

export const openWorkers = (given: WorkerProcess): Effect.Effect<OpenWorkers, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const { settings, options, definitions, log } = given;
    const health = settings.health && (yield* serveHealth(settings.health, log)); // opens first and closes last
    const monitor = health?.monitor;
    const unhandled = yield* hearUnhandled({
      ...{ log, policy: settings.onUnhandled, ownsProcess: options.signals !== false, exit: given.exit },
      count: () => monitor?.countUnhandled(),
    });
    const heart = options.heartbeatThread === false ? undefined : yield* makeHeart(log);
    const server = yield* findServer(settings, log);
    heart?.connectTo(optionsFor(server, settings.nats));
    const neighbours = new Neighbours();
    const mode = settings.engine === "auto" ? "cold" : settings.engine;
    const candidate = mode === "off" ? undefined : yield* startCandidate(settings, server, mode, log, neighbours);
    const session = yield* openSession(settings, server, "worker", log, candidate?.session.store);
    yield* server.tend(session.store);
    for (const { tasks } of definitions) for (const { name, plain } of tasks) session.vault?.declare(name, plain);
    log[isSupervised() ? "debug" : "info"](bannerOf(settings, server));
    monitor?.watch(session);
    if (monitor !== undefined) monitor.engine = candidate?.engine;
    const transcripts = yield* makeTranscriptStore(session.link, session.subjects, settings.logs, {
      onDifference: (difference) => log.warn(difference),
    });
    const threads = hasThreads(definitions) ? yield* makeThreads(options, log, unhandled) : undefined;
    const journals = hasDurables(definitions)
      ? yield* makePublisher(session.link, { stream: session.subjects.journalStream })
      : undefined;
    const parts = { ...session, log, neighbours, transcripts, heart, threads, journals, describe: tasksOfClass };
    if (heart !== undefined) yield* Effect.promise(() => heart.running);
    const open = (definition: WorkerDefinition) =>
      Effect.tap(
        makeWorker(definition, { ...parts, meter: monitor?.meterFor(definition) }, workerOptions(settings)),
        (worker) =>
          Effect.sync(() => {
            unhandled.add(worker);
            monitor?.add(worker, definition);
          }),
      );
    const workers = yield* Effect.forEach(definitions, open, { concurrency: "unbounded" });
    if (monitor !== undefined) monitor.isStarted = true;
    return { engine: candidate?.engine, session, workers, healthUrl: health?.url };
  });

const workerOptions = ({ shutdownTimeoutMs, middleware, keptFrames }: Settings) => {
  return { shutdownTimeoutMs, middleware, keptFrames, process: processName(), runtime: runtimeName(), version };
};

/** The heart starts while the process connects. It ends after the workers, because it sends heartbeats for them until then. */
const makeHeart = (log: Log) =>
  Effect.acquireRelease(
    Effect.sync(() => new Heart(log)),
    (heart) => Effect.promise(() => heart.close()),
  );

const hasDurables = (definitions: readonly WorkerDefinition[]): boolean =>
  definitions.some(({ tasks }) => tasks.some(({ durable }) => durable !== undefined));

const hasThreads = (definitions: readonly WorkerDefinition[]): boolean =>
  definitions.some(({ tasks }) => tasks.some(({ thread }) => thread !== undefined));

const makeThreads = ({ scan: patterns }: StartOptions, log: Log, unhandled: Unhandled) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const files = patterns === undefined ? [process.argv[1]!] : await findFiles([patterns].flat(), process.cwd());
      const modules = files.map((file) => pathToFileURL(file).href);
      return new ThreadPool({
        entry: new URL("./task-thread.ts", import.meta.url),
        modules,
        log,
        onUnhandled: (error, run) => unhandled.tell(error, run),
      });
    }),
    (threads) => Effect.promise(() => threads.close()),
  );
