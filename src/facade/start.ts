import { pathToFileURL, URL } from "node:url";
import { Effect } from "effect";
import type { Workable } from "../../decorators/check.ts";
import { assertWorker, scan, type WorkerSource } from "../../decorators/scan.ts";
import type { Natchet } from "../client/client.ts";
import { discoverWorkers, findFiles } from "../discovery.ts";
import { atCaller, rememberCaller } from "../domain/at-caller.ts";
import type { Log } from "../domain/log.ts";
import { defineWorker, type WorkerDefinition } from "../domain/worker.ts";
import type { RunningEngine } from "../engine/running-engine.ts";
import { serveHealth } from "../health/server.ts";
import { makeTranscriptStore } from "../nats/transcripts.ts";
import { assertRunsWorkers, processName, runtimeName } from "../runtime/process.ts";
import { Neighbours } from "../wire/neighbours.ts";
import { Heart } from "../worker/heart/heart.ts";
import type { RunningWorker } from "../worker/running-worker.ts";
import { ThreadPool } from "../worker/threads/thread-pool.ts";
import { makeWorker } from "../worker/worker.ts";
import { bannerOf, isSupervised, tellWhatToTry } from "./banner.ts";
import { startCandidate } from "./candidate.ts";
import { clientOf } from "./client-of.ts";
import { findServer } from "./find-server.ts";
import { optionsFor } from "./found-server.ts";
import { assertStartOptions } from "./known-settings.ts";
import { Lifetime } from "./lifetime.ts";
import { logOf } from "./log.ts";
import { openSession, type Session } from "./session.ts";
import { type ClientOptions, resolveSettings, type StartOptions } from "./settings.ts";
import type { Stoppable } from "./stoppable.ts";
import { isTaskThread, offerWorkers } from "./thread-mode.ts";
import { hearUnhandled, type Unhandled } from "./unhandled.ts";
import { version } from "./version.ts";

/** What `start` started. */
export interface Running extends Stoppable {
  /** Those that were started, in the order in which they were given. */
  readonly workers: readonly RunningWorker[];
  /** The engine candidate of this process, unless it is off. */
  readonly engine: RunningEngine | undefined;
  /** Where `/live`, `/ready` and `/metrics` are, for example `http://127.0.0.1:8080`; undefined without `health`. */
  readonly healthUrl: string | undefined;
  /** A client on this process's own connection. */
  client(options?: Pick<ClientOptions, "middleware">): Natchet;
}

/** A class with a constructor without arguments, an instance, a definition written by hand, or many of them. */
export type Startable = WorkerSource | WorkerDefinition | readonly (WorkerSource | WorkerDefinition)[];

/** `W` where it can be started; otherwise a sentence that says why not. */
export type Started<W> = W extends WorkerDefinition
  ? W
  : W extends readonly (infer One)[]
    ? readonly Started<One>[]
    : Workable<W>;

/**
 * Starts workers in this process and resolves when an engine knows them.
 *
 * On SIGTERM, SIGINT or SIGHUP the workers take no new runs, finish the running ones within `shutdownTimeout`, give back the rest, and
 * the process ends. A second signal ends it at once.
 *
 * Fails: TypeError for anything that is not a worker; HealthPortUnavailable; the errors of {@link connect}
 * @example
 * ```ts
 * await start(EmailWorker);
 * await start([new EmailWorker(mailer), ReportWorker], { shutdownTimeout: "2m" });
 * ```
 */
export async function start<const W extends Startable>(
  workers: W & Started<W>,
  options: StartOptions = {},
): Promise<Running> {
  const settings = atCaller(start, () => {
    assertRunsWorkers("start()");
    assertStartOptions(options);
    for (const source of sourcesOf(workers)) if (!isDefinition(source)) assertWorker(source);
    return resolveSettings(options);
  });
  const shownToCaller = rememberCaller(start);
  const log = logOf(settings);
  const lifetime = new Lifetime(options.signals !== false && !isTaskThread);
  const definitions = await lifetime.attempt(() => definitionsOf(workers, options));
  if (isTaskThread) {
    offerWorkers(definitions);
    return new Promise(() => {});
  }
  log.debug("starting", { workers: definitions.map(({ name }) => name).join() });
  const neighbours = new Neighbours();
  const build = Effect.gen(function* () {
    const health = settings.health && (yield* serveHealth(settings.health, log)); // first to open, last to close
    const monitor = health?.monitor;
    const unhandled = yield* hearUnhandled({
      log,
      policy: settings.onUnhandled,
      ownsProcess: options.signals !== false,
      count: () => monitor?.countUnhandled(),
      exit: () => lifetime.end(1),
    });
    const heart = options.heartbeatThread === false ? undefined : yield* makeHeart(log);
    const server = yield* findServer(settings, log);
    heart?.connectTo(optionsFor(server, settings.nats));
    const candidate =
      settings.engine === "off"
        ? undefined
        : yield* startCandidate(settings, server, settings.engine === "warm" ? "warm" : "cold", log, neighbours);
    const engine = candidate?.engine;
    const session = yield* openSession(settings, server, "worker", log, candidate?.session.store);
    yield* server.tend(session.store);
    if (isSupervised()) log.debug(bannerOf(settings, server));
    else log.info(bannerOf(settings, server));
    monitor?.watch(session);
    if (monitor !== undefined) monitor.engine = engine;
    const transcripts = yield* makeTranscriptStore(session.link, session.subjects, settings.logs, {
      onDifference: (difference) => log.warn(difference),
    });
    const hasThreads = definitions.some(({ tasks }) => tasks.some(({ thread }) => thread !== undefined));
    const threads = hasThreads ? yield* makeThreads(options, log, unhandled) : undefined;
    const { shutdownTimeoutMs, middleware } = settings;
    if (heart !== undefined) yield* Effect.promise(() => heart.running);
    const start = (definition: WorkerDefinition) =>
      makeWorker(
        definition,
        { ...session, log, neighbours, transcripts, heart, threads, meter: monitor?.meterFor(definition) },
        { shutdownTimeoutMs, middleware, process: processName(), runtime: runtimeName(), version },
      ).pipe(
        Effect.tap((worker) =>
          Effect.sync(() => {
            unhandled.add(worker);
            monitor?.add(worker, definition);
          }),
        ),
      );
    const running = yield* Effect.forEach(definitions, start, { concurrency: "unbounded" });
    if (monitor !== undefined) monitor.isStarted = true;
    return { engine, session, workers: running, healthUrl: health?.url };
  });
  const opened = await lifetime.open(build).catch((error) => {
    throw shownToCaller(error);
  });
  await Promise.all(opened.workers.map((worker) => worker.registered));
  tellWhatToTry(settings, definitions, log);
  return runningOf(opened, lifetime.stoppable);
}

/** Begins while the process connects, ends after the workers, which it beats for until then. */
const makeHeart = (log: Log) =>
  Effect.acquireRelease(
    Effect.sync(() => new Heart(log)),
    (heart) => Effect.promise(() => heart.close()),
  );

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

interface Opened {
  readonly engine: RunningEngine | undefined;
  readonly session: Session;
  readonly workers: readonly RunningWorker[];
  readonly healthUrl: string | undefined;
}

function runningOf({ engine, session, workers, healthUrl }: Opened, stoppable: Stoppable): Running {
  return {
    workers,
    engine,
    healthUrl,
    client: ({ middleware } = {}) => clientOf(session, async () => {}, middleware),
    ...stoppable,
  };
}

async function definitionsOf(given: Startable, options: StartOptions): Promise<WorkerDefinition[]> {
  const patterns = options.scan === undefined ? [] : [options.scan].flat();
  const found = patterns.length === 0 ? [] : await discoverWorkers(patterns);
  const definitions = [...sourcesOf(given), ...found].map((source) =>
    isDefinition(source) ? defineWorker(source) : scan(source),
  );
  if (definitions.length === 0)
    throw new TypeError("start() was given no worker; pass a class under @Worker, for example start(EmailWorker)");
  return definitions;
}

const sourcesOf = (given: Startable): readonly (WorkerSource | WorkerDefinition)[] =>
  Array.isArray(given) ? (given as readonly (WorkerSource | WorkerDefinition)[]) : [given as WorkerSource];

const isDefinition = (source: object): source is WorkerDefinition =>
  typeof source === "object" &&
  source !== null &&
  "tasks" in source &&
  Array.isArray(source.tasks) &&
  "slots" in source;
