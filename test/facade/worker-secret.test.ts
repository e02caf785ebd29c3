// Who may speak for a worker, and to it: not whoever knows its id, has heard what was said to it, or answers louder.
import assert from "node:assert/strict";
import { Effect, Exit, Scope } from "effect";
import { connect, start, startEngine, Task, Worker } from "../../src/mod.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { newIdentity, proofLength } from "../../src/runtime/worker-identity.ts";
import { testServer } from "../../src/testing/mod.ts";
import { decodeAssignments, encodeAssignments } from "../../src/wire/assignment.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { decodePing, protocol } from "../../src/wire/worker-messages.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const executed: string[] = [];

@Worker({ name: "steady", slots: 3 })
class Steady {
  @Task("pay")
  async pay(to: string) {
    executed.push(to);
    return to;
  }
}

test("a worker's secret: without it nobody leaves, beats or registers for it, nor makes it execute what no engine assigned", async () => {
  const server = await testServer();
  const where = { url: server.url, namespace: "pay", log: "silent", signals: false } as const;
  const engine = await startEngine(where);
  const running = await start(Steady, { ...where, engine: "off" });
  const client = await connect(where);
  const subjects = new Subjects("pay");
  const scope = Scope.makeUnsafe();
  const { nc } = await Effect.runPromise(Scope.provide(connectNats({ url: server.url, namespace: "pay" }), scope));
  const ask = async (subject: string, payload: Uint8Array) =>
    (await nc.request(subject, payload, { timeout: 5_000 })).json<{
      error?: { message: string };
      refused?: number[];
    }>();
  try {
    const overheard: Uint8Array[] = [];
    nc.subscribe("natchet.pay.worker.*.*.assign", {
      callback: (_error, { data }) => void overheard.push(data.slice()),
    });
    const overheardPings: Uint8Array[] = [];
    nc.subscribe("natchet.pay.worker.*.*.ping", {
      callback: (_error, { data }) => void overheardPings.push(data.slice()),
    });
    await nc.flush();
    assert.equal(await client.task<string, string>("pay").run("ann"), "ann");
    const [worker] = await client.workers();
    const { id } = worker!;
    assert.doesNotMatch(JSON.stringify(await client.workers()), /secret/);
    const forged = [{ id }, { id, secret: newIdentity("").secret }, { id, secret: id }];
    const about = { v: protocol, name: "w", slots: 9, labels: {}, runtime: "r", version: "1", quiet: true, tasks: [] };
    for (const who of forged) {
      const beat = { ...who, executing: [], quiet: true, lagMs: 0 };
      for (const [verb, message] of [
        ["leave", who],
        ["heartbeat", beat],
        ["register", { ...about, ...who, executing: [] }],
      ] as const)
        assert.match((await ask(subjects.engine(verb), encodeMessage(message))).error!.message, /secret/, verb);
    }
    const again = overheard[0]!;
    assert.deepEqual((await ask(subjects.worker(id, "assign"), again)).refused, [0], "what was heard, once more");
    const { assignments, ...head } = decodeAssignments(again);
    const other = assignments.map((assignment) => ({ ...assignment, key: "pay/forged", origin: 999 }));
    const news = { ...head, n: head.n! + 1, epoch: 2 ** 32 - 1, sentAt: head.sentAt! + 60_000 };
    for (const message of [{ ...head, n: head.n! + 1 }, news])
      assert.deepEqual(
        (await ask(subjects.worker(id, "assign"), encodeAssignments({ ...message, assignments: other }))).refused,
        [0],
      );
    await waitFor(() => overheardPings.length > 0, 20_000, "the leader to ping");
    const pings = overheardPings.map((data) => decodePing(data));
    assert.ok(pings.length > 0 && pings.every(({ proof, n }) => proof?.length === proofLength && n! > 0));
    assert.deepEqual(await Promise.all(["bob", "cal"].map((to) => client.task<string, string>("pay").run(to))), [
      "bob",
      "cal",
    ]);
    assert.deepEqual(executed, ["ann", "bob", "cal"]);
    assert.deepEqual([(await client.workers()).length, (await client.workers())[0]!.slots], [1, 3]);
  } finally {
    await client.close();
    await running.stop();
    await engine.stop();
    await Effect.runPromise(Scope.close(scope, Exit.void));
    await server.stop();
  }
});
