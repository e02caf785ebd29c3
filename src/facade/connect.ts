import { Effect } from "effect";
import type { Natchet } from "../client/client.ts";
import { atCaller, rememberCaller } from "../domain/at-caller.ts";
import { assertMiddleware } from "../domain/middleware.ts";
import { clientOf } from "./client-of.ts";
import { findServer } from "./find-server.ts";
import { assertClientOptions } from "./known-settings.ts";
import { logOf } from "./log.ts";
import { openScope } from "./running-scope.ts";
import { openSession } from "./session.ts";
import { type ClientOptions, resolveSettings } from "./settings.ts";

/**
 * Connects a client.
 *
 * Without `url` or `NATS_URL` it finds a server on this machine, or the embedded one of this workspace, and starts that if need be.
 *
 * A caller that waits longer than five seconds is told why in the log, once a task; `run` and `enqueue` take `{ timeout, signal }`.
 *
 * Fails: NatsUnreachable, ServerNotRunning, ServerTooOld, JetStreamDisabled, PermissionDenied, ServerBinaryNotFound
 * @example
 * ```ts
 * await using natchet = await connect();
 * await natchet.task("hello").run({ name: "Ada" }, { timeout: "30s" });
 * ```
 */
export async function connect(given: ClientOptions = {}): Promise<Natchet> {
  const { middleware, ...options } = given;
  // Before anything is opened.
  const settings = atCaller(connect, () => {
    assertClientOptions(given);
    assertMiddleware(middleware, "connect");
    return resolveSettings(options, "warn");
  });
  const shownToCaller = rememberCaller(connect);
  const log = logOf(settings);
  const build = Effect.gen(function* () {
    const server = yield* findServer(settings, log);
    const session = yield* openSession(settings, server, "client", log);
    yield* server.tend(session.store);
    log.info(`connected to ${server.where}, namespace ${settings.nats.namespace}`);
    return session;
  });
  const { value: session, close } = await openScope(build).catch((error) => {
    throw shownToCaller(error);
  });
  return clientOf(session, close, middleware);
}
