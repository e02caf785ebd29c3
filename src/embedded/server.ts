// The server of a directory, shared by every natchet process that names it: the first one starts it, the others attach, and when it is gone
// whoever is left starts it again on the same store and port.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { EmbeddedServerFailed, type ServerBinaryNotFound, type ServerNotRunning } from "../domain/errors.ts";
import { Home } from "./home.ts";
import { type EmbeddedOptions, type EmbeddedServer, openIncarnation } from "./incarnation.ts";
import { KeptServer } from "./kept-server.ts";

export type { EmbeddedLog, EmbeddedOptions, EmbeddedServer } from "./incarnation.ts";

type EmbeddedError = ServerBinaryNotFound | EmbeddedServerFailed | ServerNotRunning;

/**
 * Starts the server of the directory, or attaches to the one that another process has started; once, without looking after it.
 *
 * The scope stops it if this process owns it. Two processes never run two servers on one store.
 */
export const startOrAttach = (
  options: EmbeddedOptions = {},
): Effect.Effect<EmbeddedServer, EmbeddedError, Scope.Scope> =>
  scoped((signal) => openIncarnation(new Home(options.directory ?? ".natchet"), options, signal));

/**
 * As {@link startOrAttach}, and looks after it: when the server crashes or its owner ends, the processes that are left race to start it again
 * on the same store and, as long as nobody else took it, the same port, so that connected clients simply reconnect.
 */
export const keepEmbedded = (options: EmbeddedOptions = {}): Effect.Effect<KeptServer, EmbeddedError, Scope.Scope> =>
  scoped((signal) => KeptServer.open(new Home(options.directory ?? ".natchet"), options, signal));

function scoped<A extends EmbeddedServer>(
  open: (signal: AbortSignal) => Promise<A>,
): Effect.Effect<A, EmbeddedError, Scope.Scope> {
  const acquire = Effect.tryPromise({ try: (signal) => open(signal), catch: asEmbeddedError });
  return Effect.acquireRelease(acquire, (server) => Effect.promise(() => server.stop()), { interruptible: true });
}

function asEmbeddedError(error: unknown): EmbeddedError {
  if (error instanceof Error && "_tag" in error) return error as EmbeddedError;
  return new EmbeddedServerFailed({ reason: error instanceof Error ? error.message : String(error) });
}
