// Why a first connection failed, and what to do about it.
import { errors } from "@nats-io/transport-node";
import { NatsUnreachable } from "../domain/errors.ts";
import { shownAddress } from "./address.ts";
import type { NatsOptions } from "./options.ts";

/** The server accepted the TLS handshake and closed the connection before a login: it refused the client's certificate. */
export class CertificateRefused extends Error {}

interface Trouble {
  readonly reason: string;
  readonly cure?: string;
}

export function unreachable(options: NatsOptions, cause: unknown): NatsUnreachable {
  return new NatsUnreachable({ url: shownAddress(options.url), ...troubleOf(options, cause) });
}

function troubleOf({ tls }: NatsOptions, cause: unknown): Trouble {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  if (cause instanceof CertificateRefused || /received fatal alert|certificate required|bad certificate/i.test(reason))
    return tls?.cert === undefined
      ? { reason: "the server wants a client certificate", cure: "set tls.cert and tls.key (NATS_CERT and NATS_KEY)" }
      : {
          reason: "the server refused the client certificate",
          cure: "check that its authority is the server's and that it has not expired: tls.cert and tls.key (NATS_CERT and NATS_KEY)",
        };
  if (isLoginRefused(cause, reason))
    return {
      reason,
      cure: "check the login: NATS_USER and NATS_PASSWORD, NATS_TOKEN, NATS_CREDS or NATS_NKEY_FILE, or user and password in the address",
    };
  if (/does not support 'tls'/.test(reason))
    return {
      reason: "the server does not speak TLS, so nothing was sent to it",
      cure: "enable TLS there, or connect with nats:// and without tls",
    };
  if (/altnames|does not match certificate/i.test(reason))
    return { reason, cure: "connect with tls:// by a name or an IP that the server's certificate has" };
  if (/certificate|self.signed|issuer/i.test(reason))
    return { reason, cure: "check the server's certificate, and name the authority that issued it: tls.ca (NATS_CA)" };
  return { reason };
}

const isLoginRefused = (cause: unknown, reason: string): boolean =>
  cause instanceof errors.AuthorizationError ||
  cause instanceof errors.UserAuthenticationExpiredError ||
  /authori[sz]ation|authentication|credentials/i.test(reason);
