// Why a process cannot work with a NATS server: it cannot be reached, it lacks something, or it does not let us.
import { type Tagged, tagged } from "./tagged.ts";

const NatsUnreachableBase: Tagged<"NatsUnreachable"> = tagged("NatsUnreachable");
/** No connection to the server could be made. */
export class NatsUnreachable extends NatsUnreachableBase<{
  readonly url: string;
  readonly reason: string;
  /** @default what to do where nobody listens */
  readonly cure?: string | undefined;
}> {
  override get message(): string {
    const cure = this.cure ?? "start a server there, set NATS_URL, or unset it to use the embedded one";
    return `cannot connect to NATS at ${this.url}: ${this.reason}; ${cure}`;
  }
}

const ServerTooOldBase: Tagged<"ServerTooOld"> = tagged("ServerTooOld");
/** The server is older than natchet needs. */
export class ServerTooOld extends ServerTooOldBase<{
  readonly url: string;
  readonly version: string;
  readonly needed: string;
}> {
  override get message(): string {
    return `nats-server ${this.version} at ${this.url} is too old: natchet needs ${this.needed} or newer; upgrade it, or unset NATS_URL to use the embedded one`;
  }
}

const NamespaceTooNewBase: Tagged<"NamespaceTooNew"> = tagged("NamespaceTooNew");
/** A newer version of natchet has raised the format of the namespace beyond what this one knows. */
export class NamespaceTooNew extends NamespaceTooNewBase<{
  readonly namespace: string;
  readonly format: number;
  readonly known: number;
}> {
  override get message(): string {
    return `namespace "${this.namespace}" has format ${this.format}, and this version of natchet reads up to format ${this.known}: upgrade this process (docs/production/upgrade.md)`;
  }
}

const JetStreamDisabledBase: Tagged<"JetStreamDisabled"> = tagged("JetStreamDisabled");
/** The server has no JetStream, or this account has none. */
export class JetStreamDisabled extends JetStreamDisabledBase<{ readonly url: string }> {
  override get message(): string {
    return `the server at ${this.url} has JetStream disabled; start it with "nats-server -js", or enable jetstream for this account`;
  }
}

const PermissionDeniedBase: Tagged<"PermissionDenied"> = tagged("PermissionDenied");
/** The server does not let this user publish or subscribe to what natchet needs. */
export class PermissionDenied extends PermissionDeniedBase<{ readonly subject: string; readonly reason: string }> {
  override get message(): string {
    return `NATS refuses ${this.subject}: ${this.reason}; "natchet nats-config" prints the permissions of each role (docs/production/permissions.md)`;
  }
}
