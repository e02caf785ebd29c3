// Why the engine or the store of a namespace does not do now what it is asked for.
import { type Tagged, tagged } from "./tagged.ts";

const EngineUnreachableBase: Tagged<"EngineUnreachable"> = tagged("EngineUnreachable");
/** Nobody leads the namespace, or the leader does not answer; safe to try again. */
export class EngineUnreachable extends EngineUnreachableBase<{
  readonly namespace: string;
  readonly reason: string;
  /** Address of the NATS server. */
  readonly server?: string;
  /** False while this process has no connection to it. */
  readonly isConnected?: boolean;
}> {
  override get message(): string {
    const where = this.server === undefined ? "" : ` on ${this.server}`;
    if (this.isConnected === false)
      return `not connected to NATS${where}, so no engine can be reached in namespace "${this.namespace}"; the connection is restored once the server is back`;
    return `no engine answers in namespace "${this.namespace}"${where}: ${this.reason}; start a worker ("natchet dev", "natchet worker") or an engine ("natchet engine") there`;
  }
}

const EngineRefusedBase: Tagged<"EngineRefused"> = tagged("EngineRefused");
/** The engine has answered, but with an error: asking again does not help. */
export class EngineRefused extends EngineRefusedBase<{ readonly verb: string; readonly reason: string }> {
  override get message(): string {
    return `the engine refused "${this.verb}": ${this.reason}`;
  }
}

const StoreUnavailableBase: Tagged<"StoreUnavailable"> = tagged("StoreUnavailable");
/** JetStream does not answer or refuses; safe to try again. */
export class StoreUnavailable extends StoreUnavailableBase<{ readonly operation: string; readonly reason: string }> {
  override get message(): string {
    return `the store cannot ${this.operation}: ${this.reason}`;
  }
}

const QueueFullBase: Tagged<"QueueFull"> = tagged("QueueFull");
/** The store has reached `maxBytes`: new runs are refused, nothing is lost. */
export class QueueFull extends QueueFullBase<{ readonly namespace: string; readonly reason: string }> {
  override get message(): string {
    return `namespace "${this.namespace}" accepts no new runs: ${this.reason}; raise maxBytes, shorten the retention or add workers`;
  }
}
