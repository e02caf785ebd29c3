// What every part of natchet opens first: a connection, the streams, a publisher. The scope closes them in reverse order.
import * as Effect from "effect/Effect";
import * as Schedule from "effect/Schedule";
import type * as Scope from "effect/Scope";
import { formatDuration } from "../domain/duration.ts";
import { NatsUnreachable } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { connectNats } from "../nats/connection.ts";
import type { NatsLink } from "../nats/link.ts";
import { makePublisher, type Publisher } from "../nats/publisher.ts";
import { Reserve } from "../nats/reserve.ts";
import { StoreWatch } from "../nats/store-watch.ts";
import { ensureStreams, remakeStream } from "../nats/streams.ts";
import { changeTranscripts } from "../nats/transcripts.ts";
import { Vault } from "../sealing/vault.ts";
import { Subjects } from "../wire/subjects.ts";
import { type FoundServer, optionsFor } from "./found-server.ts";
import type { Settings } from "./settings.ts";

/** One connection to NATS, with what engine, worker and client need from it. */
export interface Session {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  /** Shared by all sessions of a process. */
  readonly store: StoreWatch;
  /** Where the server is, for people. */
  readonly server: string;
  readonly log: Log;
  /** Absent where encryption is off, and in engines, which never see plain text. */
  readonly vault: Vault | undefined;
}

/** A connection named after the part that uses it. Each part has its own, so that none can fill the socket of another. */
export const connectTo = (
  settings: Settings,
  server: FoundServer,
  part: "worker" | "engine" | "lease" | "client",
  log: Log,
): Effect.Effect<NatsLink, Error, Scope.Scope> => {
  const onFault = (subject: string, error: unknown) => log.error("a message could not be handled", { subject, error });
  const onLoginRefused = (reason: string) =>
    log.error("NATS refuses the login; it is tried again, with what the credentials file holds then", { part, reason });
  const told = { name: `natchet ${part}`, onFault, onLoginRefused };
  const connecting = Effect.suspend(() => connectNats({ ...optionsFor(server, settings.nats), ...told }));
  return server.source === "embedded" ? Effect.retry(connecting, untilItIsBack) : connecting;
};

/** The process that owns the embedded server may be ending: another process then starts it again. */
const untilItIsBack = {
  while: (error: Error) => error instanceof NatsUnreachable,
  schedule: Schedule.spaced("100 millis"),
  times: 100,
};

/** A loss is logged after a moment: a connection that is being closed looks lost, too. */
const tellAfterMs = 50;

/** Logs when an outage begins and when it is over. */
function tellOutages(link: NatsLink, part: string, log: Log): void {
  let lostAt: number | undefined;
  let isTold = false;
  link.onDisconnect(() => {
    if (link.nc.isClosed() || lostAt !== undefined) return;
    lostAt = performance.now();
    const tell = setTimeout(() => {
      if (link.nc.isClosed() || lostAt === undefined) return;
      isTold = true;
      log.warn("the connection to NATS is lost; trying to reconnect", { url: link.url, part });
    }, tellAfterMs);
    (tell as { unref?: () => void }).unref?.();
  });
  link.onReconnect(() => {
    if (lostAt !== undefined && isTold)
      log.warn("connected to NATS again", { url: link.url, part, away: formatDuration(performance.now() - lostAt) });
    lostAt = undefined;
    isTold = false;
  });
}

/** A connection with what a part needs; `given` is the store of an open session, which also reports outages. */
export const openSession = (
  settings: Settings,
  server: FoundServer,
  part: "worker" | "engine" | "dedicated engine" | "client",
  log: Log,
  given?: StoreWatch,
): Effect.Effect<Session, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const subjects = new Subjects(settings.nats.namespace);
    const isDedicated = part === "dedicated engine";
    const isEngine = isDedicated || part === "engine";
    const vault = isEngine ? undefined : yield* openVault(settings);
    const link = yield* connectTo(settings, server, isDedicated ? "engine" : part, log);
    if (given === undefined) tellOutages(link, part, log);
    if (isEngine) yield* makeStreams(link, subjects, settings, log, isDedicated);
    else {
      const onDifference = (difference: string) => log.warn(difference);
      const onMade = () => makeReserve(link, subjects, settings, log); // before its runs take all the space
      yield* ensureStreams(link, subjects, settings.nats, { onDifference, onMade });
    }
    const store = given ?? (yield* watchStore(settings, link, subjects, isEngine, log));
    const publisher = yield* makePublisher(link, { stream: subjects.stream, watch: store.runs });
    return { link, publisher, subjects, store, server: server.where, log, vault };
  });

const openVault = ({ encryption, nats }: Settings): Effect.Effect<Vault | undefined, Error> =>
  encryption === undefined
    ? Effect.undefined
    : Effect.tryPromise({
        try: () => Vault.open(encryption, nats.namespace),
        catch: (cause) => (cause instanceof Error ? cause : new Error(`encryption.keys: ${String(cause)}`, { cause })),
      });

const makeStreams = (link: NatsLink, subjects: Subjects, settings: Settings, log: Log, isDedicated: boolean) =>
  Effect.gen(function* () {
    yield* ensureStreams(link, subjects, settings.nats);
    yield* Effect.promise(() => changeTranscripts(link, subjects, settings.logs, { log, isDedicated }));
    makeReserve(link, subjects, settings, log);
  });

/** Makes the reserve without waiting for it; if that fails, the leader makes it later. */
function makeReserve(link: NatsLink, subjects: Subjects, settings: Settings, log: Log): void {
  new Reserve(link, subjects, settings.nats.replicas)
    .make()
    .catch((error: unknown) => log.debug("no room could be reserved yet", { error }));
}

const watchStore = (settings: Settings, link: NatsLink, subjects: Subjects, mayRemake: boolean, log: Log) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const remake = async (stream: string) => mayRemake && (await remakeStream(link, subjects, settings.nats, stream));
      return new StoreWatch({ link, subjects, log, remake });
    }),
    (store) => Effect.sync(() => store.close()),
  );
