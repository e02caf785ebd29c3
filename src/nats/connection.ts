// Opening a connection: it fails early and clearly where it could never work, and once established it reconnects forever.
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node";
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { JetStreamDisabled, NatsUnreachable, PermissionDenied, ServerTooOld } from "../domain/errors.ts";
import { deferred } from "../runtime/deferred.ts";
import { parseAddresses, shownAddress } from "./address.ts";
import { CertificateRefused, unreachable } from "./connect-trouble.ts";
import { authenticatorOf } from "./credentials.ts";
import { breakSocket, makeLink, type NatsLink } from "./link.ts";
import { assertNatsOptions, loginOf, type NatsOptions } from "./options.ts";
import { guardRefusedSocket } from "./refused-socket.ts";
import { checkServer } from "./requirements.ts";
import { tlsOptions } from "./tls.ts";

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
  const { shown } = parseAddresses(options.url);
  // A refused certificate ends this only if there is one server: otherwise the next one may accept it.
  const refusal = deferred<never>();
  const onClosed = () => {
    if (shown.length > 1) return;
    const refuse = () =>
      refusal.reject(new CertificateRefused("the server closed the connection after the TLS handshake"));
    setTimeout(refuse, wordMs); // the client may have a better reason
  };
  const connecting = connect(connectionOptions(options, onClosed));
  try {
    const nc = await Promise.race([connecting, refusal.promise]);
    refusal.promise.catch(() => {}); // an established connection closes one day, which is not a refusal
    if (signal.aborted) await nc.close(); // nobody waits for it any more
    return nc;
  } catch (error) {
    connecting.then((nc) => nc.close()).catch(() => {});
    throw error;
  }
}

const wordMs = 100;

function connectionOptions(options: NatsOptions, onClosed: () => void): ConnectionOptions {
  const { shown, needsTls } = parseAddresses(options.url);
  const tls = options.tls ?? (needsTls ? {} : undefined);
  const authenticator = authenticatorOf(options);
  return {
    servers: [...shown],
    name: options.name ?? "natchet",
    // Otherwise every request makes an Error, only to know where it came from.
    noAsyncTraces: true,
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    reconnectJitterTLS: 500,
    // A peer that vanished silently is noticed after at most three intervals.
    pingInterval: 3_000,
    maxPingOut: 2,
    // A server that restarts may refuse everybody for a moment, for instance while its accounts load.
    ignoreAuthErrorAbort: true,
    ...loginOf(options),
    ...(authenticator !== undefined && { authenticator }),
    ...(options.inboxPrefix !== undefined && { inboxPrefix: options.inboxPrefix }),
    // With `tls` set, the client refuses a server without TLS before it sends anything.
    ...(tls !== undefined && { tls: tlsOptions(tls, onClosed) }),
  };
}

/** A dead server must not hang a shutdown: what cannot be flushed in 2 s is given up. */
const closeConnection = (nc: NatsConnection) =>
  Effect.promise(() => nc.flush().catch(() => {})).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.andThen(Effect.promise(() => nc.close().catch(() => {})).pipe(Effect.timeoutOption("1 second"))),
    Effect.andThen(Effect.sync(() => breakSocket(nc))),
  );
