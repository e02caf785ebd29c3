// What both kinds of `connect` do. Only one of them reads decorators and may start a server.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { type ClientParts, Natchet } from "../client/client.ts";
import type { Log } from "../domain/log.ts";
import { assertMiddleware } from "../domain/middleware.ts";
import { currentParent } from "../worker/context.ts";
import { whenItRuns } from "./awaited-server.ts";
import { readCall } from "./call.ts";
import type { TendedServer } from "./found-server.ts";
import { assertClientOptions } from "./known-settings.ts";
import { openScope } from "./running-scope.ts";
import { openSession, type Session } from "./session.ts";
import { type ClientOptions, resolveSettings, type Settings } from "./settings.ts";

export interface Connecting {
  /** Whether the embedded server is started if none is running, unless the caller says otherwise. If it is not, `connect` waits for a server. */
  readonly startsServer: boolean;
  /** Finds the server, and starts it if it may. */
  readonly find: (settings: Settings, log: Log) => Effect.Effect<TendedServer, Error, Scope.Scope>;
  readonly describe: ClientParts["describe"];
}

/** `connect` is the function that the user called; it must still be on the stack. */
export async function openClient(
  connect: Function,
  given: ClientOptions,
  { startsServer, find, describe }: Connecting,
): Promise<Natchet> {
  const { middleware, ...options } = given;
  const { settings, log, failed } = readCall(connect, () => {
    assertClientOptions(given);
    assertMiddleware(middleware, "connect");
    return resolveSettings({ ...options, startServer: options.startServer ?? startsServer }, "warn");
  });
  const build = Effect.gen(function* () {
    const finding = find(settings, log);
    const server = yield* options.startServer === undefined && !startsServer ? whenItRuns(finding, log) : finding;
    const session = yield* openSession(settings, server, "client", log);
    yield* server.tend(session.store);
    log.info(`connected to ${server.where}, namespace ${settings.nats.namespace}`);
    return session;
  });
  const { value: session, close: release } = await openScope(build).catch(failed);
  return clientOf(session, { describe, release, middleware });
}

/** A client on a session that it need not own. */
export const clientOf = (session: Session, parts: Pick<ClientParts, "describe" | "release" | "middleware">): Natchet =>
  new Natchet({ ...session, ...parts, parent: currentParent });
