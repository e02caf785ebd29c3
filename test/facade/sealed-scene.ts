// What the tests of encryption begin with: a server, an engine of the namespace `sealed`, and a link that reads what is stored.
import { Effect, Exit, Scope } from "effect";
import { type ClientOptions, connect, type Natchet, startEngine } from "../../src/mod.ts";
import { connectNats } from "../../src/nats/connection.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { testServer } from "../../src/testing/mod.ts";

export interface SealedScene {
  readonly where: {
    readonly url: string;
    readonly namespace: "sealed";
    readonly log: "silent";
    readonly signals: false;
  };
  readonly link: NatsLink;
  /** Closed with the scene. */
  connected(options: ClientOptions): Promise<Natchet>;
  /** Called before everything that was opened earlier is closed. */
  atEnd(end: () => Promise<unknown>): void;
  close(): Promise<void>;
}

export async function openSealedScene(): Promise<SealedScene> {
  const server = await testServer();
  const where = { url: server.url, namespace: "sealed", log: "silent", signals: false } as const;
  const engine = await startEngine(where);
  await engine.whenLeading();
  const scope = Scope.makeUnsafe();
  const link = await Effect.runPromise(Scope.provide(connectNats({ url: server.url, namespace: "sealed" }), scope));
  const ends: (() => Promise<unknown>)[] = [
    () => engine.stop(),
    () => Effect.runPromise(Scope.close(scope, Exit.void)),
    () => server.stop(),
  ];
  const atEnd = (end: () => Promise<unknown>) => void ends.unshift(end);
  return {
    where,
    link,
    atEnd,
    connected: async (options) => {
      const made = await connect({ ...where, ...options });
      atEnd(() => made.close());
      return made;
    },
    close: async () => {
      for (const end of ends) await end();
    },
  };
}
