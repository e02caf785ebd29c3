// A worker as one scope, on a link and a store that the test answers for: what still works while it closes, and in which order it ends.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { silentLog } from "../../src/domain/log.ts";
import { checkTask } from "../../src/domain/task.ts";
import type { Handler } from "../../src/domain/worker.ts";
import { jsonBytes, noBytes } from "../../src/wire/bytes.ts";
import { type Neighbour, Neighbours } from "../../src/wire/neighbours.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { makeWorker } from "../../src/worker/worker.ts";
import type { WorkerParts } from "../../src/worker/worker-parts.ts";
import { test } from "../support/harness.ts";

async function scene(handler: Handler, shutdownTimeoutMs: number) {
  const said: string[] = [];
  const open = new Set<string>();
  const last = (subject: string) => subject.split(".").at(-1)!;
  const nc = {
    subscribe: (subject: string) => {
      open.add(last(subject));
      return { unsubscribe: () => said.push(`deaf to ${last(subject)}`) && open.delete(last(subject)) };
    },
    request: async (subject: string, data: Uint8Array) => {
      const { quiet } = JSON.parse(new TextDecoder().decode(data));
      said.push(quiet === true ? `${last(subject)}: quiet` : last(subject));
      return { data: jsonBytes({ epoch: 1, engine: "e", known: true, cancel: [] }) };
    },
  };
  const clock = { now: () => 1, nowAfter: () => 1, follow: () => false };
  const link = {
    nc,
    clock,
    inboxPrefix: "_INBOX",
    maxPayload: 1 << 20,
    isConnected: () => true,
    onReconnect: () => () => {},
  };
  const publisher = {
    append: async () => {
      said.push("stored");
      return { ok: true, seq: 1 };
    },
  };
  let neighbour: Neighbour | undefined;
  class Watched extends Neighbours {
    override add(id: string, added: Neighbour) {
      neighbour = added;
      return super.add(id, added);
    }
  }
  const parts = { link, publisher, subjects: new Subjects("ns"), log: silentLog, neighbours: new Watched() };
  const definition = {
    ...{ name: "w", slots: 1, labels: {}, tasks: [{ ...checkTask("t"), handler }] },
    onStart: () => void said.push("onStart"),
    onStop: () => void said.push("onStop"),
  };
  const scope = Scope.makeUnsafe();
  const options = { shutdownTimeoutMs, cancelGraceMs: 20 };
  const making = makeWorker(definition, parts as unknown as WorkerParts, options);
  const worker = await Effect.runPromise(Scope.provide(making, scope));
  await worker.registered;
  const times = { priority: 1, turn: 1, attempt: 1, origin: 1, createdAt: 1, waiter: "", follows: false };
  const give = (run: string) =>
    neighbour!.accept({ epoch: 1, assignments: [{ key: `t/${run}`, ...times, extra: noBytes, input: noBytes }] });
  return { said, open, give, worker, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) };
}

test("worker: closing is quiet, waits for code and its outcome, leaves, and only then it is deaf and stops what onStart began", async () => {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { said, open, give, close, worker } = await scene(() => {
    begun.resolve();
    return gate.promise;
  }, 60_000);
  assert.deepEqual(
    [said.splice(0), [...open]],
    [
      ["onStart", "register"],
      ["assign", "cancel", "ping", "epoch"],
    ],
  );
  assert.deepEqual(give("1").refused, []);
  await begun.promise;
  const closed = close();
  assert.deepEqual([worker.obstacle, give("2").why, open.size], ["draining", "quiet", 4]);
  gate.resolve();
  await closed;
  assert.deepEqual(said, [
    ...["heartbeat: quiet", "stored", "leave"],
    ...["deaf to epoch", "deaf to ping", "deaf to cancel", "deaf to assign", "onStop"],
  ]);
});

test("worker: what is left after its time is given back; code that does not end is not waited for", async () => {
  const { said, give, close, worker } = await scene(() => new Promise(() => {}), 5);
  give("1");
  await Promise.resolve();
  await close();
  assert.deepEqual([said.slice(2, 5), worker.busy, worker.held], [["heartbeat: quiet", "stored", "leave"], 1, 0]);
});
