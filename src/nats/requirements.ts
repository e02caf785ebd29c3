// What natchet needs of a server, and what to do where it is missing.
import { JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Effect } from "effect";
import { JetStreamDisabled, NatsUnreachable, PermissionDenied, ServerTooOld } from "../domain/errors.ts";
import { isUsableVersion, minimumVersion } from "./embedded/server-version.ts";

export const checkServer = (nc: NatsConnection, url: string) =>
  Effect.gen(function* () {
    const version = nc.info?.version ?? "0.0.0";
    if (!isUsableVersion(version))
      return yield* Effect.fail(new ServerTooOld({ url, version, needed: minimumVersion }));
    yield* Effect.tryPromise({
      try: async () => (await jetstreamManager(nc, { timeout: 10_000 })).getAccountInfo(),
      catch: (cause) => refusal(url, cause),
    });
  });

/** Sorts what the server answered to a JetStream request into what somebody can act on. */
export function refusal(url: string, cause: unknown): JetStreamDisabled | PermissionDenied | NatsUnreachable {
  const text = cause instanceof Error ? `${cause.message} ${String(cause.cause ?? "")}` : String(cause);
  const denied = /permissions? violation for (?:publish|subscription) to "([^"]+)"/i.exec(text);
  if (denied) return new PermissionDenied({ subject: denied[1]!, reason: "the user has no permission" });
  if (/no responders|jetstream not enabled|jetstream is not enabled/i.test(text)) {
    return new JetStreamDisabled({ url });
  }
  if (cause instanceof JetStreamApiError && cause.code === 10039) return new JetStreamDisabled({ url });
  return new NatsUnreachable({ url, reason: text.trim() });
}
