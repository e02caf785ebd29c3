// What every process of natchet opens first: a server, a connection, the streams, a publisher. Closed in reverse order by the scope.
import { Effect, type Scope } from "effect";
import type { Log } from "../domain/log.ts";
import { connectNats } from "../nats/connection.ts";
import { resolveServer } from "../nats/embedded/resolve.ts";
import type { NatsLink } from "../nats/link.ts";
import { makePublisher, type Publisher } from "../nats/publisher.ts";
import { ensureStreams } from "../nats/streams.ts";
import { Subjects } from "../protocol/subjects.ts";
import type { Settings } from "./settings.ts";

/** One connection to NATS with what engine, worker and client need of it. */
export interface Session {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
}

/** Finds the server (DESIGN: given, on this machine, or embedded) and returns its address; an embedded one lives as long as the scope. */
export const findServer = (settings: Settings, log: Log): Effect.Effect<string, Error, Scope.Scope> =>
  Effect.map(resolveServer({ url: settings.nats.url, directory: settings.directory, log }), (server) => server.url);

/** Opens a connection named after its part (`worker`, `engine`, `client`), so that one part cannot starve another's socket. */
export const openSession = (
  settings: Settings,
  url: string,
  part: string,
): Effect.Effect<Session, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const subjects = new Subjects(settings.nats.namespace);
    const link = yield* connectNats({ ...settings.nats, url, name: `natchet ${part}` });
    yield* ensureStreams(link, subjects, settings.nats);
    const publisher = yield* makePublisher(link);
    return { link, publisher, subjects };
  });
