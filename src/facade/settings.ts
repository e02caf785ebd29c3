// Every setting in one place: what code says, then the environment, then the default.

import type { EnqueueMiddleware } from "../client/middleware.ts";
import { type DurationInput, parseDuration } from "../domain/duration.ts";
import { assertEncryption, type EncryptionOptions } from "../domain/encryption.ts";
import type { Log } from "../domain/log.ts";
import { assertMiddleware, type ExecuteMiddleware } from "../domain/middleware.ts";
import { assertName } from "../domain/names.ts";
import { assertOneOf, assertWhole, numberOf } from "../domain/option-values.ts";
import type { HealthSettings } from "../health/health-settings.ts";
import { readEnvironment } from "../runtime/environment.ts";
import { type HealthOptions, healthSettings } from "./health-settings.ts";
import { findHomeDirectory } from "./home-directory.ts";
import { assertLogger, type LogFormat, type LogLevel, logFormats, logLevels } from "./log.ts";

/** Where NATS is and how to get in. Without `url` (or `NATS_URL`) natchet finds a server on this machine or starts one. */
export interface ConnectOptions {
  /** For example `nats://127.0.0.1:4222`; several separated by commas. Environment: `NATS_URL`. */
  readonly url?: string | undefined;
  /** Isolates streams, subjects, engine and workers. Environment: `NATCHET_NAMESPACE`. @default "default" */
  readonly namespace?: string | undefined;
  /** Environment: `NATS_USER`, `NATS_PASSWORD`. */
  readonly user?: string | undefined;
  /** Environment: `NATS_PASSWORD`. */
  readonly password?: string | undefined;
  /** Environment: `NATS_TOKEN`. */
  readonly token?: string | undefined;
  /** A file with an nkey seed. Environment: `NATS_NKEY_FILE`. */
  readonly nkeyFile?: string | undefined;
  /** A `.creds` file. Environment: `NATS_CREDS`. */
  readonly credsFile?: string | undefined;
  /** Files in PEM form. Environment: `NATS_CA`, `NATS_CERT`, `NATS_KEY`. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  /** Prefix of this process's inboxes: `_INBOX`, or `_INBOX.<role>` for a user who may subscribe to nothing else. Environment: `NATCHET_INBOX_PREFIX`. @default "_INBOX" */
  readonly inboxPrefix?: string | undefined;
  /** Replicas of the streams: 1 or 3. Environment: `NATCHET_REPLICAS`. @default 1 */
  readonly replicas?: 1 | 3 | undefined;
  /** Stored bytes at which new runs are refused with QueueFull; no limit by default. Environment: `NATCHET_MAX_BYTES`. */
  readonly maxBytes?: number | undefined;
  /** Recreates deleted streams empty. Otherwise everything stops, and says so, until they are restored. Environment: `NATCHET_RECREATE` (1). @default false */
  readonly recreate?: boolean | undefined;
  /** How many finished runs are kept, and for how long. Older ones are forgotten, and their ids are free again. Environment: `NATCHET_KEEP_COUNT`, `NATCHET_KEEP_AGE`. @default 100,000 and "24h" */
  readonly retention?: { readonly count?: number; readonly age?: DurationInput } | undefined;
  /** How long logs and streams of runs are kept, and how many bytes: the oldest go first. An existing namespace keeps what is not given. Environment: `NATCHET_LOGS_MAX_AGE`, `NATCHET_LOGS_MAX_BYTES`. @default "24h" and 1 GiB */
  readonly logs?: { readonly maxAge?: DurationInput; readonly maxBytes?: number } | undefined;
  /** Most bytes of durable runs' journals: beyond it, runs wait until there is room. Environment: `NATCHET_JOURNAL_MAX_BYTES`. @default no limit */
  readonly journal?: { readonly maxBytes?: number } | undefined;
  /**
   * Home of the embedded server. Environment: `NATCHET_DIRECTORY`.
   *
   * @default the `.natchet` in this folder or above, up to the root of the workspace; a new one is made at that root, or beside the
   * nearest package.json or deno.json
   */
  readonly directory?: string | undefined;
  /**
   * Whether to start the embedded server if none is running; `false` fails with ServerNotRunning at once. `natchet/client` starts
   * none and waits five seconds for one unless this is `false`. @default true
   */
  readonly startServer?: boolean | undefined;
  /**
   * Encrypts inputs, outputs, errors, log lines and chunks in clients and workers, so that servers and engines see ciphertext only. Give it to all
   * clients and workers of a namespace. @default off
   */
  readonly encryption?: EncryptionOptions | undefined;
  /** The lowest level that is logged. Environment: `NATCHET_LOG`. @default "info", of a client "warn" */
  readonly log?: LogLevel | undefined;
  /**
   * Receives the log instead of stderr: `console`, or any object with `debug`, `info`, `warn` and `error` that take (message, fields).
   * Without `log` or `NATCHET_LOG` it receives every level. What it throws is ignored.
   *
   * @example
   * ```ts
   * const tell = (level) => (message, fields) => pino[level](fields, message); // pino takes the fields first
   * await start(EmailWorker, { logger: { debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("error") } });
   * ```
   */
  readonly logger?: Log | undefined;
}

/** What `connect` takes. */
export interface ClientOptions extends ConnectOptions {
  /** Wraps the storing of each run, the first outermost. */
  readonly middleware?: readonly EnqueueMiddleware[] | undefined;
}

/** What `start` takes. */
export interface StartOptions extends ConnectOptions {
  /** Whether an engine stands by in this process, to lead when needed: `auto` only watches, `warm` keeps the state in memory, `off` never leads. Environment: `NATCHET_ENGINE`. @default "auto" */
  readonly engine?: EngineMode | undefined;
  /** How long a stop waits for running tasks before it gives them back. Environment: `NATCHET_SHUTDOWN_TIMEOUT`. @default "30s" */
  readonly shutdownTimeout?: DurationInput | undefined;
  /** Whether SIGTERM, SIGINT and SIGHUP drain and end the process. @default true */
  readonly signals?: boolean | undefined;
  /** Serves `/live`, `/ready` and `/metrics` on a port; `false` overrides the environment. */
  readonly health?: HealthOptions | false | undefined;
  /** Wraps every attempt in this process, the first outermost. */
  readonly middleware?: readonly ExecuteMiddleware[] | undefined;
  /** What to do about unhandled errors and rejections in your code: `log` and continue, or `exit`: drain and exit with code 1. Environment: `NATCHET_ON_UNHANDLED`. @default "log" */
  readonly onUnhandled?: OnUnhandled | undefined;
  /** Whether a helper thread sends heartbeats while your code blocks the event loop. Without it, a worker that is blocked for 30 s is treated as dead. @default true */
  readonly heartbeatThread?: boolean | undefined;
  /**
   * How many waiting durable runs a worker keeps in memory, and for how long, so that they continue at once. The others continue too,
   * by executing their method again with its earlier results; `count: 0` keeps none.
   * @default 1,000 and "10m"
   */
  readonly keptFrames?: { readonly count?: number; readonly age?: DurationInput } | undefined;
  /** Globs or folders; every worker class that their files export is started, too. */
  readonly scan?: string | readonly string[] | undefined;
}

/** `log` continues, `exit` drains and exits with code 1. */
export type OnUnhandled = "log" | "exit";

export type EngineMode = "auto" | "warm" | "off";

export interface Settings {
  readonly nats: Omit<ConnectOptions, "log" | "logger" | "namespace" | "startServer" | "encryption"> & {
    readonly namespace: string;
    readonly replicas: 1 | 3;
    readonly journalMaxBytes?: number;
  };
  readonly directory: string;
  /** Whether the embedded server may be started. */
  readonly mayStart: boolean;
  readonly encryption: EncryptionOptions | undefined;
  readonly log: LogLevel;
  readonly logFormat: LogFormat;
  readonly logger: Log | undefined;
  /** Undefined: colours if stderr is a terminal. */
  readonly colours: boolean | undefined;
  readonly engine: EngineMode;
  readonly shutdownTimeoutMs: number;
  readonly keptFrames: { readonly frames?: number; readonly frameMs?: number };
  readonly onUnhandled: OnUnhandled;
  readonly scheduler: { readonly keepCount: number; readonly keepMs: number };
  readonly health: HealthSettings | undefined;
  readonly middleware: readonly ExecuteMiddleware[];
  readonly logs: { readonly replicas: 1 | 3; readonly maxAgeMs?: number; readonly maxBytes?: number };
}

/** The variables that natchet reads, with their meaning; docs/production/configuration.md lists them. */
export const variables = {
  NATS_URL: "the server to connect to",
  NATS_USER: "user name",
  NATS_PASSWORD: "password",
  NATS_TOKEN: "token",
  NATS_NKEY_FILE: "file of an nkey seed",
  NATS_CREDS: "credentials file",
  NATS_CA: "certificate authority, PEM file",
  NATS_CERT: "client certificate, PEM file",
  NATS_KEY: "key of the client certificate, PEM file",
  NATCHET_INBOX_PREFIX: "prefix of its inboxes, _INBOX or _INBOX.<role>",
  NATCHET_NAMESPACE: "namespace, default",
  NATCHET_REPLICAS: "replicas of the streams, 1 or 3",
  NATCHET_MAX_BYTES: "stored bytes at which new runs are refused",
  NATCHET_RECREATE: "1 recreates deleted streams empty",
  NATCHET_DIRECTORY: "home of the embedded server, .natchet of the workspace",
  NATCHET_LOG: "debug, info, warn, error or silent",
  NATCHET_LOG_FORMAT: "text or json",
  NO_COLOR: "no colours on a terminal",
  FORCE_COLOR: "colours even if stderr is not a terminal; 0 for none",
  NATCHET_ENGINE: "auto, warm or off",
  NATCHET_SHUTDOWN_TIMEOUT: "how long a stop waits for running tasks, 30s",
  NATCHET_ON_UNHANDLED: "log or exit, on unhandled errors of user code",
  NATCHET_HEALTH_PORT: "port of /live, /ready and /metrics",
  NATCHET_HEALTH_HOST: "address to listen on, 127.0.0.1; 0.0.0.0 for all",
  NATCHET_KEEP_COUNT: "number of finished runs kept, 100000",
  NATCHET_KEEP_AGE: "how long finished runs are kept, 24h",
  NATCHET_LOGS_MAX_AGE: "how long logs and streams are kept, 24h",
  NATCHET_LOGS_MAX_BYTES: "most bytes of logs and streams kept, 1073741824",
  NATCHET_JOURNAL_MAX_BYTES: "most bytes of durable runs' journals",
  NATCHET_NATS_SERVER: "path of the nats-server program",
  NATCHET_NATS_RELEASES: "mirror of the nats-server release archives",
  NATCHET_NATS_CHECKSUM: "required SHA-256 of the downloaded nats-server archive",
} as const;

/** Merges code, environment and defaults; a wrong value is refused with its name, the rule and an example. */
export function resolveSettings(options: StartOptions = {}, defaultLog: LogLevel = "info"): Settings {
  const env = readEnvironment(Object.keys(variables)) as Partial<Record<keyof typeof variables, string>>;
  const namespace = assertName("namespace", options.namespace ?? env.NATCHET_NAMESPACE ?? "default", "namespace");
  const logger = assertLogger(options.logger);
  const leastLevel = logger === undefined ? defaultLog : "debug";
  const log = assertOneOf(options.log ?? env.NATCHET_LOG ?? leastLevel, "log (NATCHET_LOG)", logLevels);
  const engine = assertOneOf(options.engine ?? env.NATCHET_ENGINE ?? "auto", "engine (NATCHET_ENGINE)", [
    "auto",
    "warm",
    "off",
  ]);
  const shutdownTimeout = options.shutdownTimeout ?? env.NATCHET_SHUTDOWN_TIMEOUT ?? "30s";
  const directory = options.directory ?? env.NATCHET_DIRECTORY ?? findHomeDirectory();
  return {
    nats: dropUndefined({
      ...natsSettings(options, env),
      namespace,
      directory,
      replicas: replicas(options, env),
      maxBytes: maxBytes(options, env),
      journalMaxBytes: journalMaxBytes(options, env),
      recreate: options.recreate ?? onOff("recreate (NATCHET_RECREATE)", env.NATCHET_RECREATE),
    }),
    directory,
    encryption: assertEncryption(options.encryption),
    mayStart: options.startServer !== false,
    log,
    logFormat: assertOneOf(env.NATCHET_LOG_FORMAT ?? "text", "NATCHET_LOG_FORMAT", logFormats),
    logger,
    colours: colours(env),
    engine,
    shutdownTimeoutMs: parseDuration(shutdownTimeout, "shutdownTimeout"),
    keptFrames: keptFrames(options),
    onUnhandled: assertOneOf(
      options.onUnhandled ?? env.NATCHET_ON_UNHANDLED ?? "log",
      "onUnhandled (NATCHET_ON_UNHANDLED)",
      ["log", "exit"],
    ),
    scheduler: retention(options, env),
    middleware: assertMiddleware(options.middleware, "start"),
    health: healthSettings(options.health, env),
    logs: logs(options, env),
  };
}

type Environment = Partial<Record<keyof typeof variables, string>>;

function natsSettings(options: ConnectOptions, env: Environment) {
  const ca = options.tls?.ca ?? env.NATS_CA;
  const cert = options.tls?.cert ?? env.NATS_CERT;
  const key = options.tls?.key ?? env.NATS_KEY;
  const hasTls = options.tls !== undefined || ca !== undefined || cert !== undefined || key !== undefined;
  return {
    url: options.url ?? env.NATS_URL,
    user: options.user ?? env.NATS_USER,
    password: options.password ?? env.NATS_PASSWORD,
    token: options.token ?? env.NATS_TOKEN,
    nkeyFile: options.nkeyFile ?? env.NATS_NKEY_FILE,
    credsFile: options.credsFile ?? env.NATS_CREDS,
    tls: hasTls ? dropUndefined({ ca, cert, key }) : undefined,
    inboxPrefix: options.inboxPrefix ?? env.NATCHET_INBOX_PREFIX,
  };
}

/** The conventions of no-color.org and force-color.org. */
function colours({ NO_COLOR, FORCE_COLOR }: Environment): boolean | undefined {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return NO_COLOR === undefined ? undefined : false;
}

function replicas(options: ConnectOptions, env: Environment): 1 | 3 {
  return assertOneOf(numberOf(options.replicas ?? env.NATCHET_REPLICAS ?? 1), "replicas (NATCHET_REPLICAS)", [1, 3]);
}

function retention(options: ConnectOptions, env: Environment): Settings["scheduler"] {
  const keepCount = numberOf(options.retention?.count ?? env.NATCHET_KEEP_COUNT ?? 100_000);
  return {
    keepCount: assertWhole(keepCount, "retention.count (NATCHET_KEEP_COUNT)", { from: 0, example: "100000" }),
    keepMs: parseDuration(options.retention?.age ?? env.NATCHET_KEEP_AGE ?? "24h", "retention.age (NATCHET_KEEP_AGE)"),
  };
}

function logs(options: ConnectOptions, env: Environment): Settings["logs"] {
  const age = options.logs?.maxAge ?? env.NATCHET_LOGS_MAX_AGE;
  const bytes = options.logs?.maxBytes ?? env.NATCHET_LOGS_MAX_BYTES;
  const maxAgeMs = age === undefined ? undefined : parseDuration(age, "logs.maxAge (NATCHET_LOGS_MAX_AGE)");
  if (maxAgeMs !== undefined && maxAgeMs < 1_000)
    throw new RangeError(`logs.maxAge (NATCHET_LOGS_MAX_AGE): ${age} must be at least a second, for example "24h"`);
  const maxBytes = bytes === undefined ? undefined : wholeBytes("logs.maxBytes (NATCHET_LOGS_MAX_BYTES)", bytes);
  return dropUndefined({ replicas: replicas(options, env), maxAgeMs, maxBytes });
}

function maxBytes(options: ConnectOptions, env: Environment): number | undefined {
  const given = options.maxBytes ?? env.NATCHET_MAX_BYTES;
  return given === undefined ? undefined : wholeBytes("maxBytes (NATCHET_MAX_BYTES)", given);
}

function keptFrames({ keptFrames: given }: StartOptions): Settings["keptFrames"] {
  const { count, age } = given ?? {};
  return dropUndefined({
    frames: count === undefined ? undefined : assertWhole(count, "keptFrames.count", { from: 0, example: "1000" }),
    frameMs: age === undefined ? undefined : parseDuration(age, "keptFrames.age"),
  });
}

function journalMaxBytes(options: ConnectOptions, env: Environment): number | undefined {
  const given = options.journal?.maxBytes ?? env.NATCHET_JOURNAL_MAX_BYTES;
  return given === undefined ? undefined : wholeBytes("journal.maxBytes (NATCHET_JOURNAL_MAX_BYTES)", given);
}

const wholeBytes = (name: string, given: string | number): number =>
  assertWhole(numberOf(given), name, { from: 1_000_000, example: "10000000000 (bytes)" });

function onOff(name: string, value: string | undefined): boolean {
  return /1|true/.test(assertOneOf(value ?? "0", name, ["0", "1", "true", "false"]));
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as never;
}
