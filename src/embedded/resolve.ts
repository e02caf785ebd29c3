// embedded/: the server of a directory, and where its program comes from. Used only by the facade and the testing kit.
// Which server a process uses: the given one, a usable one on this machine, or the embedded one.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { type EmbeddedServerFailed, type ServerBinaryNotFound, ServerNotRunning } from "../domain/errors.ts";
import { readEnvironment } from "../runtime/environment.ts";
import { judgeLocal, localUrl, reasonOf } from "./running-server.ts";
import { type EmbeddedOptions, keepEmbedded } from "./server.ts";

export interface ResolveOptions extends EmbeddedOptions {
  /** Used as given. Environment: `NATS_URL`. */
  readonly url?: string | undefined;
  /** The server on this machine that is asked first. @default "nats://127.0.0.1:4222" */
  readonly local?: string | undefined;
}

export interface ResolvedServer {
  /** The address to connect to; an embedded server that had to leave its port changes it. */
  readonly url: string;
  readonly source: "given" | "local" | "embedded";
  /** Present where this process may own the server: see {@link KeptServer.revive}. */
  readonly revive?: () => Promise<boolean>;
}

/**
 * Resolves the server: `url` or `NATS_URL`, otherwise a usable one that answers on port 4222 within 300 ms, otherwise the embedded one.
 *
 * A server that answers but is too old, has no JetStream or wants a password is passed over, and one log line says why. An embedded server lives as long as the scope.
 */
export const resolveServer = (
  options: ResolveOptions = {},
): Effect.Effect<ResolvedServer, ServerBinaryNotFound | EmbeddedServerFailed | ServerNotRunning, Scope.Scope> =>
  Effect.gen(function* () {
    const given = options.url ?? readEnvironment(["NATS_URL"]).NATS_URL;
    if (given !== undefined) return { url: given, source: "given" as const };
    const local = options.local ?? localUrl;
    const verdict = yield* Effect.promise(() => judgeLocal(local));
    if (verdict === "usable") return { url: local, source: "local" as const };
    const passedOver = reasonOf(verdict);
    if (passedOver !== undefined && options.mayStart !== false)
      options.log?.info(`not using the server at ${local}: ${passedOver}; set NATS_URL to use it anyway`);
    const server = yield* keepEmbedded(options).pipe(
      Effect.mapError((error) =>
        error instanceof ServerNotRunning ? new ServerNotRunning({ directory: error.directory, passedOver }) : error,
      ),
    );
    return {
      get url() {
        return server.url;
      },
      source: "embedded" as const,
      revive: () => server.revive(),
    };
  });
