// Which server a process connects to; if none is running, it starts one.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import type { Log } from "../domain/log.ts";
import { resolveServer } from "../embedded/resolve.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import { type TendedServer, whereIs } from "./found-server.ts";
import type { Settings } from "./settings.ts";

/** Finds the given server, or one on this machine that can be used, or starts an embedded one that lives as long as the scope. */
export const findServer = (settings: Settings, log: Log): Effect.Effect<TendedServer, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const { nats, directory, mayStart } = settings;
    const server = yield* resolveServer({ url: nats.url, directory, mayStart, log });
    const { source, revive } = server;
    if (source === "local" && settings.nats.namespace === "default")
      log.info(`using the NATS server already running on this machine; ${shared}`, { url: server.url });
    return {
      get url() {
        return server.url;
      },
      source,
      get where() {
        return whereIs(server, settings.directory);
      },
      tend: (store) => (revive === undefined ? Effect.void : tend(store, revive)),
    };
  });

const shared =
  'everyone in its namespace "default" shares the same tasks and runs; set NATCHET_NAMESPACE to keep yours apart';

const tendEveryMs = 2_000;

const tend = (store: StoreWatch, revive: () => Promise<boolean>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      setInterval(() => {
        void store.runs.suspect(); // a cheap question to a server on this machine
        if (store.trouble?.fault === "broken") void revive();
      }, tendEveryMs),
    ),
    (timer) => Effect.sync(() => clearInterval(timer)),
  ).pipe(Effect.asVoid);
