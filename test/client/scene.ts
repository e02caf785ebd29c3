// A client on a real server, with an engine that the test plays.
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Effect, Exit, Scope } from "effect";
import { Natchet } from "../../src/client/client.ts";
import type { EnqueueMiddleware } from "../../src/client/middleware.ts";
import type { TaskShape } from "../../src/client/task-reference.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { type Decide, FakeEngine } from "./asking/fake-engine.ts";

export interface Scene extends AsyncDisposable {
  readonly client: Natchet;
  readonly engine: FakeEngine;
  readonly subjects: Subjects;
  /** A connection beside the client's. */
  readonly nc: NatsConnection;
}

let scenes = 0;

export async function openScene(
  server: NatsServer,
  decide: Decide,
  describe: (cls: Function) => ReadonlyMap<string, TaskShape> = () => new Map(),
  middleware?: readonly EnqueueMiddleware[],
): Promise<Scene> {
  const namespace = `client-${++scenes}`;
  const subjects = new Subjects(namespace);
  const scope = await Effect.runPromise(Scope.make());
  const build = Effect.gen(function* () {
    const link = yield* connectNats({ url: server.url, namespace });
    yield* ensureStreams(link, subjects, { replicas: 1 });
    return { link, publisher: yield* makePublisher(link), subjects };
  });
  const session = await Effect.runPromise(Scope.provide(build, scope));
  const release = () => Effect.runPromise(Scope.close(scope, Exit.void));
  const client = new Natchet({ ...session, describe, release, middleware });
  const nc: NatsConnection = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const engine = new FakeEngine(nc, subjects, decide);
  engine.lead();
  await nc.flush();
  const dispose = async () => {
    await client.close();
    await nc.close();
  };
  return { client, engine, subjects, nc, [Symbol.asyncDispose]: dispose };
}
