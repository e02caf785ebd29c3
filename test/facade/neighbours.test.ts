// Engine and worker in one process: assignments do not travel through the server, and nothing else changes.
import assert from "node:assert/strict";
import { connect as connectToServer } from "@nats-io/transport-node";
import { connect, start, startEngine, Task, Worker } from "../../src/mod.ts";
import { testServer } from "../../src/testing/mod.ts";
import { afterAll, beforeAll, test } from "../support/harness.ts";

@Worker({ name: "doubling", slots: 3 })
class Doubling {
  @Task("double")
  async double({ n }: { n: number }) {
    return n * 2;
  }
}

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

/** Executes 50 runs in a namespace of its own; returns how many assignment messages the server saw. */
async function assignmentsSeen(namespace: string, engineIsApart: boolean): Promise<number> {
  const where = { url: server.url, namespace, log: "silent", signals: false } as const;
  const spy = await connectToServer({ servers: server.url, token: new URL(server.url).username });
  let seen = 0;
  spy.subscribe(`natchet.${namespace}.worker.*.*.assign`, {
    callback: () => {
      seen += 1;
    },
  });
  await spy.flush();
  const engine = engineIsApart ? await startEngine(where) : undefined;
  await engine?.whenLeading();
  const running = await start(Doubling, { ...where, engine: engineIsApart ? "off" : "auto" });
  const client = await connect(where);
  const inputs = Array.from({ length: 50 }, (_, n) => ({ n }));
  const outputs = await client.task<{ n: number }, number>("double").runMany(inputs);
  assert.deepEqual(
    outputs,
    inputs.map(({ n }) => n * 2),
  );
  await client.close();
  await running.stop();
  await engine?.stop();
  await spy.flush();
  await spy.close();
  return seen;
}

test("neighbours: no assignment travels", async () => {
  assert.equal(await assignmentsSeen("near", false), 0);
});

test("an engine apart: every assignment travels", async () => {
  assert.ok((await assignmentsSeen("far", true)) > 0);
});
