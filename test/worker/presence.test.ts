// How often a worker tells the engine what it holds, on a link that the test answers for.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { jsonBytes, textOf } from "../../src/wire/bytes.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { Lifeline } from "../../src/worker/lifeline.ts";
import { Presence } from "../../src/worker/presence.ts";
import { test } from "../support/harness.ts";

test("presence: however many things happen at once, one heartbeat is under way, and one tells what came after it", async () => {
  const said: { readonly executing: readonly unknown[] }[] = [];
  let held = 0;
  const request = async (_subject: string, data: Uint8Array) => {
    said.push(JSON.parse(textOf(data)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { data: jsonBytes({ epoch: 1, engine: "e", known: true, cancel: [] }) };
  };
  const nc = { request, subscribe: () => ({ unsubscribe: () => {} }) };
  const link = { isConnected: () => true, onReconnect: () => () => {}, maxPayload: 1_000_000, nc };
  const executing = () =>
    Array.from({ length: held }, (_, i) => ({ key: `t/${i}`, turn: 1, origin: i + 1, startedAt: 0 }));
  const presence = new Presence({
    ...{
      id: "w1",
      link: link as unknown as NatsLink,
      subjects: new Subjects("test"),
      log: silentLog,
      heartbeatMs: 4_000,
      lifeline: new Lifeline(),
    },
    ...{ tasks: [], busy: () => held, onStop: () => {}, onUnanswered: () => {} },
    describe: () => ({
      ...{ v: 1, id: "w1", name: "w", slots: 1, labels: {}, runtime: "r", version: "1", quiet: false },
      executing: executing(),
    }),
  });
  const scope = Scope.makeUnsafe();
  Effect.runSync(Scope.provide(presence.open, scope));
  await presence.registered;
  assert.equal(said.length, 1);
  const first = presence.beat();
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 1_000; i++) {
    held++;
    void presence.beat();
  }
  await first;
  await presence.beat();
  assert.ok(said.length <= 4, `${said.length} messages`);
  assert.equal(said.at(-1)!.executing.length, 1_000);
  await Effect.runPromise(Scope.close(scope, Exit.void));
});
