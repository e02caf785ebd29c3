// Why a process did not get started: no server of its own, a worker that fails, a port that is taken.
import { toText } from "../thrown.ts";
import { type Tagged, tagged } from "./tagged.ts";

const ServerBinaryNotFoundBase: Tagged<"ServerBinaryNotFound"> = tagged("ServerBinaryNotFound");
/** No usable nats-server program was found or could be fetched. */
export class ServerBinaryNotFound extends ServerBinaryNotFoundBase<{ readonly tried: readonly string[] }> {
  override get message(): string {
    return `no nats-server (2.10 or newer) was found: ${this.tried.join("; ")}. Install one, set NATCHET_NATS_SERVER to its path, or set NATS_URL to a running server`;
  }
}

const ServerNotRunningBase: Tagged<"ServerNotRunning"> = tagged("ServerNotRunning");
/** No server is running here, and whoever asked for one may not start it: `natchet/client`, a command, or `startServer: false`. */
export class ServerNotRunning extends ServerNotRunningBase<{
  readonly directory: string;
  /** Why the server on port 4222 is not used, where one answers. */
  readonly passedOver?: string | undefined;
}> {
  override get message(): string {
    const local =
      this.passedOver === undefined
        ? "none at nats://127.0.0.1:4222"
        : `the one at nats://127.0.0.1:4222 is not used (${this.passedOver})`;
    return `no NATS server is running: ${local}, and none in ${this.directory}; start a worker there ("natchet dev"), or set NATS_URL or NATCHET_DIRECTORY`;
  }
}

const EmbeddedServerFailedBase: Tagged<"EmbeddedServerFailed"> = tagged("EmbeddedServerFailed");
/** The embedded server did not start or stopped. */
export class EmbeddedServerFailed extends EmbeddedServerFailedBase<{ readonly reason: string }> {
  override get message(): string {
    return `the embedded nats-server failed: ${this.reason}`;
  }
}

const WorkerNotStartedBase: Tagged<"WorkerNotStarted"> = tagged("WorkerNotStarted");
/** A worker's own `onStart` failed; nothing was registered. */
export class WorkerNotStarted extends WorkerNotStartedBase<{ readonly worker: string; readonly cause: unknown }> {
  override get message(): string {
    return `worker "${this.worker}" was not started because its onStart failed: ${toText(this.cause)}`;
  }
}

const HealthPortUnavailableBase: Tagged<"HealthPortUnavailable"> = tagged("HealthPortUnavailable");
/** The probes of this process cannot be served where it was told to. */
export class HealthPortUnavailable extends HealthPortUnavailableBase<{
  readonly host: string;
  readonly port: number;
  readonly reason: string;
}> {
  override get message(): string {
    return `the health port ${this.port} on ${this.host} cannot be used: ${this.reason}; set health.port (NATCHET_HEALTH_PORT, --health-port) to a free one, for example ${this.port < 65_535 ? this.port + 1 : 8080}`;
  }
}
