// `natchet/client`: a client that starts neither a server nor an engine, and reads no decorators.
import * as Effect from "effect/Effect";
import type { Natchet } from "../client/client.ts";
import { atCaller } from "../domain/at-caller.ts";
import type { ServerNotRunning } from "../domain/errors.ts";
import { findRunningServer } from "../embedded/running-server.ts";
import { type TendedServer, whereIs } from "./found-server.ts";
import { openClient } from "./open-client.ts";
import type { ClientOptions, Settings } from "./settings.ts";

/**
 * Connects a client to a server that is running.
 *
 * Without `url` or `NATS_URL`, that is the server on port 4222 of this machine, or the embedded server of this workspace, which `natchet dev`
 * or a worker has started. It waits five seconds for one, unless `startServer` is `false`.
 *
 * Fails: NatsUnreachable, ServerNotRunning, ServerTooOld, NamespaceTooNew, JetStreamDisabled, PermissionDenied
 * @example
 * ```ts
 * await using natchet = await connect();
 * await natchet.task<{ name: string }>("hello").run({ name: "Ada" });
 * ```
 */
export async function connect(options: ClientOptions = {}): Promise<Natchet> {
  atCaller(connect, () => {
    if (options.startServer === true)
      throw new TypeError(
        "connect: natchet/client cannot start a server (startServer: true); import connect from natchet",
      );
  });
  const client = await openClient(connect, options, { startsServer: false, find: runningServer, describe });
  return client;
}

const runningServer = ({ nats: { url }, directory }: Settings): Effect.Effect<TendedServer, ServerNotRunning> =>
  Effect.tryPromise({
    try: async () => (url === undefined ? await findRunningServer(directory) : { url, source: "given" as const }),
    catch: (error) => error as ServerNotRunning,
  }).pipe(Effect.map((running) => ({ ...running, where: whereIs(running, directory), tend: () => Effect.void })));

function describe(cls: Function): never {
  const name = cls.name || "EmailWorker";
  throw new TypeError(
    `tasks(${name}): natchet/client does not read decorated classes; write tasks<${name}>(), call a task by its contract or name, or import connect from "natchet"`,
  );
}
