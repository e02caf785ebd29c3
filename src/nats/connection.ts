// Opens the one kind of connection that natchet uses: it reconnects for ever, and it is refused early and clearly where it could not work.
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node";
import { Effect, type Scope } from "effect";
import { type JetStreamDisabled, NatsUnreachable, type PermissionDenied, type ServerTooOld } from "../domain/errors.ts";
import { authenticatorOf } from "./credentials.ts";
import { breakSocket, makeLink, type NatsLink } from "./link.ts";
import { addressesOf, assertNatsOptions, loginOf, type NatsOptions, shownAddress, type TlsFiles } from "./options.ts";
import { guardRefusedSocket } from "./refused-socket.ts";
import { checkServer } from "./requirements.ts";

export type ConnectError = NatsUnreachable | ServerTooOld | JetStreamDisabled | PermissionDenied;

/**
 * Connects and checks the server: version, JetStream, permission.
 *
 * The first connection fails early; an established one reconnects for ever, within about a second of the server's return.
 * Fails: {@link NatsUnreachable}, {@link ServerTooOld}, {@link JetStreamDisabled}, {@link PermissionDenied}; a TypeError for options that
 * could never connect
 */
export const connectNats = (options: NatsOptions): Effect.Effect<NatsLink, ConnectError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Effect.sync(() => assertNatsOptions(options));
    yield* Effect.acquireRelease(Effect.sync(guardRefusedSocket), (end) => Effect.sync(end));
    const nc = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: (signal) => open(options, signal),
        catch: (cause) => unreachable(options, cause),
      }),
      closeConnection,
      { interruptible: true },
    );
    yield* checkServer(nc, shownAddress(options.url));
    return makeLink(nc, options);
  });

async function open(options: NatsOptions, signal: AbortSignal): Promise<NatsConnection> {
  const nc = await connect(connectionOptions(options));
  if (signal.aborted) await nc.close(); // nobody waits for it any more
  return nc;
}

function connectionOptions(options: NatsOptions): ConnectionOptions {
  const { tls } = options;
  const authenticator = authenticatorOf(options);
  return {
    servers: addressesOf(options),
    name: options.name ?? "natchet",
    // Every request would make an Error only to know where it was made.
    noAsyncTraces: true,
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    reconnectJitterTLS: 500,
    // A peer that is gone without a word is noticed after at most three intervals.
    pingInterval: 3_000,
    maxPingOut: 2,
    // A server that restarts may refuse everybody for a moment, for instance while its accounts load.
    ignoreAuthErrorAbort: true,
    ...loginOf(options),
    ...(authenticator !== undefined && { authenticator }),
    ...(tls !== undefined && { tls: tlsFiles(tls) }),
  };
}

const tlsFiles = (tls: TlsFiles) => ({
  ...(tls.ca !== undefined && { caFile: tls.ca }),
  ...(tls.cert !== undefined && { certFile: tls.cert }),
  ...(tls.key !== undefined && { keyFile: tls.key }),
});

function unreachable({ url, tls }: NatsOptions, cause: unknown): NatsUnreachable {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  // All that is seen here of a server that wants a certificate and got none.
  const isCertificateMissing =
    tls !== undefined && tls.cert === undefined && /timeout|EBADF|EPIPE|ECONNRESET/.test(reason);
  const hint = isCertificateMissing ? " (the server may want a client certificate: tls.cert and tls.key)" : "";
  return new NatsUnreachable({ url: shownAddress(url), reason: reason + hint });
}

/** A dead server must not hang a shutdown: what cannot be flushed in 2 s is given up. */
const closeConnection = (nc: NatsConnection) =>
  Effect.promise(() => nc.flush().catch(() => {})).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.andThen(Effect.promise(() => nc.close().catch(() => {})).pipe(Effect.timeoutOption("1 second"))),
    Effect.andThen(Effect.sync(() => breakSocket(nc))),
  );
