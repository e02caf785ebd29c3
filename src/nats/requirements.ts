// What natchet requires of a server: a version, JetStream, and the right to use it.
import { errors, type NatsConnection } from "@nats-io/transport-node";
import * as Effect from "effect/Effect";
import { JetStreamDisabled, NatsUnreachable, PermissionDenied, ServerTooOld } from "../domain/errors.ts";
import { deniedSubject } from "./ask-store.ts";
import { isUsableVersion, minimumVersion } from "./server-version.ts";
import { ApiRefusal, askOnce } from "./stream-api.ts";

type Requirement = ServerTooOld | JetStreamDisabled | PermissionDenied | NatsUnreachable;

/** Fails: {@link ServerTooOld}, {@link JetStreamDisabled}, {@link PermissionDenied}, {@link NatsUnreachable} */
export const checkServer = (nc: NatsConnection, url: string): Effect.Effect<void, Requirement> =>
  Effect.gen(function* () {
    const version = nc.info?.version ?? "0.0.0";
    if (!isUsableVersion(version))
      return yield* Effect.fail(new ServerTooOld({ url, version, needed: minimumVersion }));
    yield* Effect.tryPromise({ try: () => askJetStream(nc), catch: (cause) => refusal(url, cause) });
  });

/** A cluster that has just started has JetStream, but no leader for some seconds. */
const electionMs = 10_000;
const pauseMs = 250;

async function askJetStream(nc: NatsConnection): Promise<void> {
  const deadline = performance.now() + electionMs;
  for (;;) {
    try {
      await askOnce(nc, "INFO", undefined, 3_000);
      return;
    } catch (error) {
      if (!isAnnounced(nc) || isFinal(error) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

const isAnnounced = (nc: NatsConnection): boolean =>
  (nc.info as { jetstream?: boolean } | undefined)?.jetstream === true;

const notForAccount = 10039;
const notForServer = 10076;
const isFinal = (error: unknown): boolean =>
  deniedSubject(error) !== undefined || (error instanceof ApiRefusal && error.error.err_code === notForAccount);

/** Turns the server's answer into an actionable error. */
function refusal(url: string, cause: unknown): JetStreamDisabled | PermissionDenied | NatsUnreachable {
  const denied = deniedSubject(cause);
  if (denied !== undefined)
    return new PermissionDenied({ subject: denied, reason: "this user may not use the JetStream API" });
  if (cause instanceof ApiRefusal && [notForAccount, notForServer].includes(cause.error.err_code))
    return new JetStreamDisabled({ url });
  if (cause instanceof errors.RequestError && cause.isNoResponders()) return new JetStreamDisabled({ url });
  return new NatsUnreachable({ url, reason: `JetStream: ${cause instanceof Error ? cause.message : String(cause)}` });
}
