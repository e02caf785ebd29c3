// What natchet needs of a server, and what to do where it is missing.
import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Effect } from "effect";
import { JetStreamDisabled, NatsUnreachable, PermissionDenied, ServerTooOld } from "../domain/errors.ts";
import { deniedSubject } from "./ask-store.ts";
import { isUsableVersion, minimumVersion } from "./embedded/server-version.ts";

type Requirement = ServerTooOld | JetStreamDisabled | PermissionDenied | NatsUnreachable;

/** Fails: {@link ServerTooOld}, {@link JetStreamDisabled}, {@link PermissionDenied}, {@link NatsUnreachable} */
export const checkServer = (nc: NatsConnection, url: string): Effect.Effect<void, Requirement> =>
  Effect.gen(function* () {
    const version = nc.info?.version ?? "0.0.0";
    if (!isUsableVersion(version))
      return yield* Effect.fail(new ServerTooOld({ url, version, needed: minimumVersion }));
    yield* Effect.tryPromise({ try: () => askJetStream(nc), catch: (cause) => refusal(url, cause) });
  });

/** A cluster that has just started has JetStream, and for some seconds nobody who leads it. */
const electionMs = 10_000;
const pauseMs = 250;

async function askJetStream(nc: NatsConnection): Promise<void> {
  const deadline = performance.now() + electionMs;
  for (;;) {
    try {
      const manager = await jetstreamManager(nc, { timeout: 3_000, checkAPI: false });
      await manager.getAccountInfo();
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
const isFinal = (error: unknown): boolean =>
  deniedSubject(error) !== undefined || (error instanceof JetStreamApiError && error.code === notForAccount);

/** JetStream is off for the account, or for the server. */
const disabledCodes = new Set([notForAccount, 10076]);

/** Sorts what the server answered to a JetStream request into what somebody can act on. */
function refusal(url: string, cause: unknown): JetStreamDisabled | PermissionDenied | NatsUnreachable {
  const denied = deniedSubject(cause);
  if (denied !== undefined) return new PermissionDenied({ subject: denied, reason: "this user may not ask JetStream" });
  if (cause instanceof JetStreamApiError && disabledCodes.has(cause.code)) return new JetStreamDisabled({ url });
  const text = cause instanceof Error ? `${cause.message} ${String(cause.cause ?? "")}` : String(cause);
  if (/no responders|jetstream (is )?not enabled/i.test(text)) return new JetStreamDisabled({ url });
  return new NatsUnreachable({ url, reason: text.trim() });
}
