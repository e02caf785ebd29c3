// What every part of natchet opens first: a connection, the streams, a publisher. Closed in reverse order by the scope.
import { relative } from "node:path";
import { Effect, Schedule, type Scope } from "effect";
import { formatDuration } from "../domain/duration.ts";
import { NatsUnreachable } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { resolveServer } from "../embedded/resolve.ts";
import { connectNats } from "../nats/connection.ts";
import type { NatsLink } from "../nats/link.ts";
import { makePublisher, type Publisher } from "../nats/publisher.ts";
import { Reserve } from "../nats/reserve.ts";
import { StoreWatch } from "../nats/store-watch.ts";
import { ensureStreams, remakeStream } from "../nats/streams.ts";
import { Subjects } from "../wire/subjects.ts";
import type { Settings } from "./settings.ts";

/** One connection to NATS with what engine, worker and client need of it. */
export interface Session {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  /** Shared by all sessions of a process. */
  readonly store: StoreWatch;
  /** Where the server is, for people. */
  readonly server: string;
  readonly log: Log;
}

/** Where to connect to. */
export interface FoundServer {
  /** An embedded server that had to leave its port changes it. */
  readonly url: string;
  readonly source: "given" | "local" | "embedded";
  /** For people: `embedded NATS in .natchet (nats://127.0.0.1:21362)`. */
  readonly where: string;
  /** Looks after a server of this process, with what the store is known to suffer from. */
  readonly tend: (store: StoreWatch) => Effect.Effect<void, never, Scope.Scope>;
}

/** The given server, a usable one on this machine, or an embedded one that lives as long as the scope. */
export const findServer = (settings: Settings, log: Log): Effect.Effect<FoundServer, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* resolveServer({ url: settings.nats.url, directory: settings.directory, log });
    const { source, revive } = server;
    if (source === "local" && settings.nats.namespace === "default")
      log.info(`using the NATS server that runs on this machine already; ${shared}`, { url: server.url });
    return {
      get url() {
        return server.url;
      },
      source,
      get where() {
        return source === "embedded"
          ? `embedded NATS in ${shownDirectory(settings.directory)} (${server.url})`
          : `NATS at ${withoutLogin(server.url)}`;
      },
      tend: (store) => (revive === undefined ? Effect.void : tend(store, revive)),
    };
  });

const shared =
  'whoever works in its namespace "default" gets the same tasks and runs: set NATCHET_NAMESPACE to keep yours apart';

/** As seen from here, where that is shorter. */
function shownDirectory(directory: string): string {
  const seen = relative(process.cwd(), directory);
  return seen !== "" && seen.length < directory.length ? seen : directory;
}

const tendEveryMs = 2_000;

const tend = (store: StoreWatch, revive: () => Promise<boolean>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      setInterval(() => {
        void store.runs.suspect(); // cheap where the server is a neighbour
        if (store.trouble?.fault === "broken") void revive();
      }, tendEveryMs),
    ),
    (timer) => Effect.sync(() => clearInterval(timer)),
  ).pipe(Effect.asVoid);

/** A connection named after its part, which is one of its own so that one part cannot fill another's socket. */
export const connectTo = (
  settings: Settings,
  server: FoundServer,
  part: "worker" | "engine" | "lease" | "client",
  log: Log,
): Effect.Effect<NatsLink, Error, Scope.Scope> => {
  const onFault = (subject: string, error: unknown) => log.error("a message could not be handled", { subject, error });
  const onLoginRefused = (reason: string) =>
    log.error("NATS refuses the login; it is tried again, with what the credentials file holds then", { part, reason });
  const options = { ...settings.nats, name: `natchet ${part}`, onFault, onLoginRefused };
  const connecting = Effect.suspend(() => connectNats({ ...options, url: server.url }));
  return server.source === "embedded" ? Effect.retry(connecting, untilItIsBack) : connecting;
};

/** The owner of an embedded server may end just now: then whoever is left starts it again. */
const untilItIsBack = {
  while: (error: Error) => error instanceof NatsUnreachable,
  schedule: Schedule.spaced("100 millis"),
  times: 100,
};

/** An outage is told when it begins and when it is over. */
function tellOutages(link: NatsLink, log: Log): void {
  let lostAt: number | undefined;
  link.onDisconnect(() => {
    if (link.nc.isClosed() || lostAt !== undefined) return;
    lostAt = performance.now();
    log.warn("the connection to NATS is lost; trying to reconnect", { url: link.url });
  });
  link.onReconnect(() => {
    if (lostAt === undefined) return;
    log.warn("connected to NATS again", { url: link.url, away: formatDuration(performance.now() - lostAt) });
    lostAt = undefined;
  });
}

/** A connection with what a part needs beside it; `given` is the store of a session that is open already, which tells outages too. */
export const openSession = (
  settings: Settings,
  server: FoundServer,
  part: "worker" | "engine" | "client",
  log: Log,
  given?: StoreWatch,
): Effect.Effect<Session, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const subjects = new Subjects(settings.nats.namespace);
    const link = yield* connectTo(settings, server, part, log);
    if (given === undefined) tellOutages(link, log);
    yield* ensureStreams(link, subjects, settings.nats);
    // Nobody waits for it; where it fails, the leader makes it.
    new Reserve(link, subjects, settings.nats.replicas)
      .make()
      .catch((error: unknown) => log.debug("no room could be reserved yet", { error }));
    const store = given ?? (yield* watchStore(settings, link, subjects, log));
    const publisher = yield* makePublisher(link, { stream: subjects.stream, watch: store.runs });
    return { link, publisher, subjects, store, server: server.where, log };
  });

const watchStore = (settings: Settings, link: NatsLink, subjects: Subjects, log: Log) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const remake = (stream: string) => remakeStream(link, subjects, settings.nats, stream);
      return new StoreWatch({ link, subjects, log, remake });
    }),
    (store) => Effect.sync(() => store.close()),
  );

const withoutLogin = (url: string): string => url.replace(/\/\/[^@/]*@/, "//");
