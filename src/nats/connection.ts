// Opens the one kind of connection that natchet uses: it reconnects for ever, and it is refused early and clearly where it could not work.
import { readFileSync } from "node:fs";
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import { Effect, type Scope } from "effect";
import { type JetStreamDisabled, NatsUnreachable, type PermissionDenied, type ServerTooOld } from "../domain/errors.ts";
import type { NatsLink, NatsOptions } from "./link.ts";
import { checkServer } from "./requirements.ts";

export type ConnectError = NatsUnreachable | ServerTooOld | JetStreamDisabled | PermissionDenied;

/**
 * Connects and checks the server: version, JetStream, permission.
 *
 * The first connection fails early; an established one reconnects for ever, within about a second of the server's return.
 * Fails: {@link NatsUnreachable}, {@link ServerTooOld}, {@link JetStreamDisabled}, {@link PermissionDenied}
 */
export const connectNats = (options: NatsOptions): Effect.Effect<NatsLink, ConnectError, Scope.Scope> =>
  Effect.gen(function* () {
    const guard = guardRefusedAuthentication();
    const nc = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => connect(connectionOptions(options)),
        catch: (cause) => unreachable(options.url, cause),
      }),
      closeConnection,
      { interruptible: true },
    ).pipe(Effect.ensuring(Effect.sync(guard)));
    yield* checkServer(nc, options.url);
    return makeLink(nc, options);
  });

function connectionOptions(options: NatsOptions): ConnectionOptions {
  const { user, password, token, tls } = options;
  return {
    servers: options.url.split(",").map((url) => url.trim()),
    name: options.name ?? "natchet",
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 200,
    reconnectJitterTLS: 300,
    // A dead peer that sends no FIN is noticed after at most three intervals.
    pingInterval: 5_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(options.nkeyFile !== undefined && {
      authenticator: nkeyAuthenticator(new TextEncoder().encode(readFileSync(options.nkeyFile, "utf8").trim())),
    }),
    ...(options.credsFile !== undefined && { authenticator: credsAuthenticator(readFileSync(options.credsFile)) }),
    ...(tls !== undefined && { tls: tlsFiles(tls) }),
  };
}

const tlsFiles = (tls: NonNullable<NatsOptions["tls"]>) => ({
  ...(tls.ca !== undefined && { caFile: tls.ca }),
  ...(tls.cert !== undefined && { certFile: tls.cert }),
  ...(tls.key !== undefined && { keyFile: tls.key }),
});

function unreachable(url: string, cause: unknown): NatsUnreachable {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new NatsUnreachable({ url: url.replace(/\/\/[^@/]*@/, "//"), reason });
}

/** A dead server must not hang a shutdown: what cannot be flushed in 2 s is given up. */
const closeConnection = (nc: NatsConnection) =>
  Effect.promise(() => nc.flush().catch(() => {})).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.andThen(Effect.promise(() => nc.close().catch(() => {}))),
    Effect.timeoutOption("3 seconds"),
    Effect.ignore,
  );

/** Deno raises an uncaught ECONNRESET when a server refuses the authentication; connect() has reported the refusal already. */
function guardRefusedAuthentication(): () => void {
  if (!("Deno" in globalThis)) return () => {};
  const swallow = (event: ErrorEvent) => {
    if ((event.error as { code?: string } | undefined)?.code === "ECONNRESET") event.preventDefault();
  };
  globalThis.addEventListener("error", swallow);
  return () => setTimeout(() => globalThis.removeEventListener("error", swallow), 1_000);
}

function makeLink(nc: NatsConnection, options: NatsOptions): NatsLink {
  const reconnected = new Set<() => void>();
  const disconnected = new Set<() => void>();
  let isConnected = true;
  const watch = async () => {
    for await (const status of nc.status()) {
      if (status.type === "disconnect") {
        isConnected = false;
        for (const listener of disconnected) listener();
      } else if (status.type === "reconnect") {
        isConnected = true;
        for (const listener of reconnected) listener();
      }
    }
  };
  watch().catch(() => {}); // ends with the connection; nothing listens after that
  return {
    nc,
    url: options.url,
    namespace: options.namespace,
    maxPayload: nc.info?.max_payload ?? 1_048_576,
    version: nc.info?.version ?? "unknown",
    isConnected: () => isConnected && !nc.isClosed(),
    onReconnect: (listener) => add(reconnected, listener),
    onDisconnect: (listener) => add(disconnected, listener),
  };
}

function add(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
