// facade/: `start`, `connect` and the settings, which put the other rooms together. Owns nothing that must last.

import type { Workable } from "../../decorators/check.ts";
import { assertWorker, scan, type WorkerSource } from "../../decorators/scan.ts";
import type { Natchet } from "../client/client.ts";
import { discoverWorkers } from "../discovery.ts";
import { checkWorker, type WorkerDefinition } from "../domain/worker.ts";
import type { RunningEngine } from "../engine/running-engine.ts";
import { assertRunsWorkers } from "../runtime/process.ts";
import type { RunningWorker } from "../worker/running-worker.ts";
import { tellWhatToTry } from "./banner.ts";
import { readCall } from "./call.ts";
import { tasksOfClass } from "./connect.ts";
import { assertStartOptions } from "./known-settings.ts";
import { Lifetime } from "./lifetime.ts";
import { clientOf } from "./open-client.ts";
import { type OpenWorkers, openWorkers } from "./open-workers.ts";
import { assertSealable } from "./sealable.ts";
import { type ClientOptions, resolveSettings, type StartOptions } from "./settings.ts";
import type { Stoppable } from "./stoppable.ts";
import { isTaskThread, offerWorkers } from "./thread-mode.ts";

/** What `start` started. */
export interface Running extends Stoppable {
  /** The started workers, in the order in which they were given. */
  readonly workers: readonly RunningWorker[];
  /** The engine candidate of this process, unless it is off. */
  readonly engine: RunningEngine | undefined;
  /** Where `/live`, `/ready` and `/metrics` are, for example `http://127.0.0.1:8080`; undefined without `health`. */
  readonly healthUrl: string | undefined;
  /** A client on this process's own connection. */
  client(options?: Pick<ClientOptions, "middleware">): Natchet;
}

/** A class whose constructor takes no arguments, an instance, a definition written by hand, or an array of them. */
export type Startable = WorkerSource | WorkerDefinition | readonly (WorkerSource | WorkerDefinition)[];

/** `W` if it can be started; otherwise a sentence that says why not. */
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
  const { settings, log, failed } = readCall(start, () => {
    assertRunsWorkers("start()");
    assertStartOptions(options);
    for (const source of sourcesOf(workers)) if (!isDefinition(source)) assertWorker(source);
    return resolveSettings(options);
  });
  const lifetime = new Lifetime(options.signals !== false && !isTaskThread);
  const definitions = await lifetime.attempt(() => definitionsOf(workers, options));
  await lifetime.attempt(async () => assertSealable(definitions, settings.encryption));
  if (isTaskThread) {
    offerWorkers(definitions);
    return new Promise(() => {});
  }
  log.debug("starting", { workers: definitions.map(({ name }) => name).join() });
  const opened = await lifetime
    .open(openWorkers({ settings, options, definitions, log, exit: () => lifetime.end(1) }))
    .catch(failed);
  await Promise.all(opened.workers.map((worker) => worker.registered));
  tellWhatToTry(settings, definitions, log);
  return runningOf(opened, lifetime.stoppable);
}

function runningOf({ engine, session, workers, healthUrl }: OpenWorkers, stoppable: Stoppable): Running {
  return {
    workers,
    engine,
    healthUrl,
    client: ({ middleware } = {}) => clientOf(session, { describe: tasksOfClass, release: async () => {}, middleware }),
    ...stoppable,
  };
}

async function definitionsOf(given: Startable, options: StartOptions): Promise<WorkerDefinition[]> {
  const patterns = options.scan === undefined ? [] : [options.scan].flat();
  const found = patterns.length === 0 ? [] : await discoverWorkers(patterns);
  const definitions = [...sourcesOf(given), ...found].map((source) =>
    isDefinition(source) ? checkWorker(source) : scan(source),
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
