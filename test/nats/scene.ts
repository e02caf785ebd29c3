// What the tests of the seam begin with: a server, checked links to it, and a scope that closes everything.
import { Effect, Exit, Scope } from "effect";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import type { NatsOptions } from "../../src/nats/options.ts";
import { type NatsServer, type NatsServerOptions, startNatsServer } from "../support/nats-server.ts";

export interface Scene {
  readonly server: NatsServer;
  /** Runs an effect in the scope of the scene. */
  run<A>(effect: Effect.Effect<A, unknown, Scope.Scope>): Promise<A>;
  /** Connects as somebody of the namespace `test`. */
  link(options?: Partial<NatsOptions>): Promise<NatsLink>;
}

export async function inScene(
  body: (scene: Scene) => Promise<void>,
  serverOptions: NatsServerOptions = {},
): Promise<void> {
  const server = await startNatsServer(serverOptions);
  const scope = Effect.runSync(Scope.make());
  const run = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
    Effect.runPromise(Scope.provide(effect, scope) as Effect.Effect<A>);
  const link = (options: Partial<NatsOptions> = {}) =>
    run(connectNats({ url: server.url, namespace: "test", ...options }));
  try {
    await body({ server, run, link });
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void));
    await server.stop();
  }
}

/** Resolves after `ms` of real time: an outage of a known length, not a wait for something. */
export const outageOf = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
