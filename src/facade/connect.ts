// `connect` of the package: a client that may start the server that it needs.
import { describeClass } from "../../decorators/scan.ts";
import type { ClientParts, Natchet } from "../client/client.ts";
import { findServer } from "./find-server.ts";
import { openClient } from "./open-client.ts";
import type { ClientOptions } from "./settings.ts";

/**
 * Connects a client.
 *
 * Without `url` or `NATS_URL`, it uses the server on port 4222 of this machine, or else the embedded server of this workspace, which it
 * starts if no process has done so yet. With `startServer: false` it fails if none is running.
 *
 * If a caller waits longer than five seconds, the log says why, once per task; `run` and `enqueue` take `{ timeout, signal }`.
 *
 * Fails: NatsUnreachable, ServerNotRunning, ServerTooOld, NamespaceTooNew, JetStreamDisabled, PermissionDenied, ServerBinaryNotFound
 * @example
 * ```ts
 * await using natchet = await connect();
 * await natchet.task("hello").run({ name: "Ada" }, { timeout: "30s" });
 * ```
 */
export async function connect(options: ClientOptions = {}): Promise<Natchet> {
  const client = await openClient(connect, options, { startsServer: true, find: findServer, describe: tasksOfClass });
  return client;
}

/** @internal The tasks that the decorators of a class name, by method. */
export const tasksOfClass: ClientParts["describe"] = (cls) => describeClass(cls).tasks;
