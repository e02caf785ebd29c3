// Which options `connect`, `start` and `startEngine` take: a misspelt one must not silently leave the default.
import { assertKnownOptions, namesOf } from "../domain/known-options.ts";
import type { ClientOptions, ConnectOptions, StartOptions } from "./settings.ts";

type Nested<K extends keyof ConnectOptions> = NonNullable<ConnectOptions[K]> & object;

const nested = {
  tls: namesOf<Nested<"tls">>({ ca: true, cert: true, key: true }),
  retention: namesOf<Nested<"retention">>({ count: true, age: true }),
  logs: namesOf<Nested<"logs">>({ maxAge: true, maxBytes: true }),
  journal: namesOf<Nested<"journal">>({ maxBytes: true }),
  keptFrames: namesOf<NonNullable<StartOptions["keptFrames"]>>({ count: true, age: true }),
};

const connectOptions = namesOf<ConnectOptions>({
  url: true,
  namespace: true,
  user: true,
  password: true,
  token: true,
  nkeyFile: true,
  credsFile: true,
  tls: true,
  inboxPrefix: true,
  replicas: true,
  recreate: true,
  maxBytes: true,
  retention: true,
  logs: true,
  journal: true,
  directory: true,
  startServer: true,
  encryption: true,
  log: true,
  logger: true,
});
const ofClients = namesOf<Omit<ClientOptions, keyof ConnectOptions>>({ middleware: true });
const ofProcesses = namesOf<Omit<StartOptions, keyof ConnectOptions>>({
  engine: true,
  shutdownTimeout: true,
  signals: true,
  onUnhandled: true,
  health: true,
  middleware: true,
  heartbeatThread: true,
  keptFrames: true,
  scan: true,
});

/** Each of the three takes the options of all: those that only another one reads are ignored, because programs share an object of options. */
export const allOptions: readonly string[] = [...new Set([...connectOptions, ...ofClients, ...ofProcesses])];

/** Fails: TypeError */
export const assertClientOptions = (options: ClientOptions): void => assertOptions(options, "connect");

/** Fails: TypeError */
export const assertStartOptions = (options: StartOptions): void => assertOptions(options, "start");

/** Fails: TypeError */
export const assertEngineOptions = (options: StartOptions): void => assertOptions(options, "startEngine");

function assertOptions(options: ConnectOptions, of: string): void {
  assertKnownOptions(options, { options: allOptions, of });
  for (const name of ["tls", "retention", "logs", "journal", "keptFrames"] as const) {
    const given = (options as StartOptions)[name];
    if (given !== undefined) assertKnownOptions(given, { options: nested[name], of: name, where: of });
  }
}
