// `natchet/client`: a client that starts nothing, neither a server nor an engine, and knows no decorators.
import { Effect } from "effect";
import { Natchet } from "../client/client.ts";
import { atCaller, rememberCaller } from "../domain/at-caller.ts";
import { ServerNotRunning } from "../domain/errors.ts";
import { assertMiddleware } from "../domain/middleware.ts";
import { findRunningServer } from "../embedded/running-server.ts";
import { currentParent } from "../worker/context.ts";
import { type FoundServer, whereIs } from "./found-server.ts";
import { assertClientOptions } from "./known-settings.ts";
import { logOf } from "./log.ts";
import { openScope } from "./running-scope.ts";
import { openSession } from "./session.ts";
import { type ClientOptions, resolveSettings, type Settings } from "./settings.ts";

/**
 * Connects a client to a server that is running.
 *
 * Without `url` or `NATS_URL` that is the one on port 4222 of this machine, or the embedded server of this workspace, which `natchet dev`
 * or a worker has started.
 *
 * Fails: NatsUnreachable, ServerNotRunning, ServerTooOld, JetStreamDisabled, PermissionDenied
 * @example
 * ```ts
 * await using natchet = await connect();
 * await natchet.task<{ name: string }>("hello").run({ name: "Ada" });
 * ```
 */
export async function connect(given: ClientOptions = {}): Promise<Natchet> {
  const { middleware, ...options } = given;
  const settings = atCaller(connect, () => {
    assertClientOptions(given);
    assertMiddleware(middleware, "connect");
    return resolveSettings(options, "warn");
  });
  const shownToCaller = rememberCaller(connect);
  const open = async () => {
    const server = await runningServer(settings);
    return openScope(Effect.suspend(() => openSession(settings, server, "client", logOf(settings))));
  };
  const { value: session, close: release } = await open().catch((error) => {
    throw shownToCaller(error);
  });
  return new Natchet({ ...session, describe, release, middleware, parent: currentParent });
}

async function runningServer({ nats, directory }: Settings): Promise<FoundServer> {
  const running =
    nats.url === undefined ? await findRunningServer(directory) : { url: nats.url, source: "given" as const };
  if (running !== undefined) return { ...running, where: whereIs(running, directory) };
  throw new ServerNotRunning({ directory });
}

function describe(cls: Function): never {
  const name = cls.name || "EmailWorker";
  throw new TypeError(
    `tasks(${name}): natchet/client does not read decorated classes; write tasks<${name}>(), call a task by its contract or name, or import connect from "natchet"`,
  );
}
